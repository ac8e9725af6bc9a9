import { isRecord } from '../../model/json.ts';

/** So many fields of an object are told. */
const limit = 5;
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Which fields of a live object are not as they were applied last, for whoever wonders why it never gets in sync: what
 * somebody else wrote since (an autoscaler, a webhook). Nothing where the last apply left no note, as server-side ones do.
 */
export function driftedFields(live: unknown): string[] {
  if (!isRecord(live) || !isRecord(live['metadata'])) return [];
  const { annotations } = live['metadata'];
  const note = isRecord(annotations) ? annotations[lastApplied] : undefined;
  const applied = typeof note === 'string' ? parse(note) : undefined;
  if (!isRecord(applied)) return [];
  const { apiVersion: _, kind: __, status: ___, ...wanted } = applied;
  const found = differences(wanted, live, '');
  const shown = found.slice(0, limit).map(describe);
  return found.length > limit ? [...shown, `and ${found.length - limit} more fields`] : shown;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Difference {
  path: string;
  was: unknown;
  is: unknown;
}

/**
 * What only the live object has is a default of the API server, except for the items of a list. To apply null or nothing is
 * to leave it to others.
 */
function differences(was: unknown, is: unknown, path: string): Difference[] {
  if (isRecord(was) && isRecord(is)) {
    return Object.entries(was)
      .filter(([, value]) => !isEmpty(value))
      .flatMap(([key, value]) => differences(value, is[key], path === '' ? key : `${path}.${key}`));
  }
  if (Array.isArray(was) && Array.isArray(is)) {
    const keys = new Set([...was, ...is].map((item, index) => keyOf(item) ?? String(index)));
    return [...keys].flatMap((key) => differences(itemOf(was, key), itemOf(is, key), `${path}[${key}]`));
  }
  return was === is || (isEmpty(was) && isEmpty(is)) ? [] : [{ path, was, is }];
}

const keyOf = (item: unknown): string | undefined =>
  isRecord(item) && typeof item['name'] === 'string' ? item['name'] : undefined;

const itemOf = (list: unknown[], key: string): unknown =>
  list.find((item, index) => (keyOf(item) ?? String(index)) === key);

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === 'object' && Object.values(value).every((child) => isEmpty(child)));

/** A text may be a secret that somebody wrote there by hand: only numbers and switches are shown. */
function describe({ path, was, is }: Difference): string {
  if (isEmpty(was)) return `${path} was added`;
  if (isEmpty(is)) return `${path} was taken out`;
  return isShown(was) && isShown(is) ? `${path} is ${is}, and ${was} was applied` : `${path} was changed`;
}

const isShown = (value: unknown): value is number | boolean => ['number', 'boolean'].includes(typeof value);
