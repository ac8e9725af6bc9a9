import { isUnfinished, type Application } from '../argocd/application.ts';
import { isErrorCondition, isHealthy } from '../argocd/application-health.ts';
import { canonicalName } from '../image-name.ts';
import { imageName } from '../manifests.ts';
import type { Deployed } from '../promotion/promotion.ts';
import type { RecoveredApplication } from './recreation.ts';

/** An Application as it is at the end. Revisions are one a source. */
export interface Found {
  application: Application;
  /** What it runs. */
  runs: string[];
  /** What it is compared with: the branch's head. */
  compared: string[];
  images: string[];
}

/**
 * Whether an Application is back. One that Argo CD syncs by itself is when it is Synced, wherever the branch is by now;
 * any other is at its revision, which reads OutOfSync once the branch moved on.
 *
 * @param startedAt when Argo CD began to run again, in milliseconds: what it says from before may be a lie
 */
export function judgeRecovery(
  expected: readonly string[],
  found: Found | undefined,
  startedAt: number,
): Pick<RecoveredApplication, 'state' | 'reason'> {
  if (expected.length === 0) return { state: 'never-ran' };
  const reason = found ? obstacle(expected, found, startedAt) : 'It is not there.';
  return reason === undefined ? { state: 'recovered' } : { state: 'not-recovered', reason };
}

function obstacle(
  expected: readonly string[],
  { application, runs, compared }: Found,
  startedAt: number,
): string | undefined {
  const { operation, requested, automated, sync, health, conditions } = application;
  if (application.deleting) return 'It is being deleted.';
  if ((application.reconciledAt ?? 0) < startedAt) return 'Argo CD has not looked at it since it runs again.';
  if (operation && isUnfinished(operation))
    return `It is being synced (${operation.message ?? operation.by}).`;
  if (requested) return 'It is about to be synced.';
  if (!automated && !same(runs, expected)) {
    return `It runs ${namesOf(runs)}, not ${namesOf(expected)}${because(operation?.message)}`;
  }
  const error = conditions.find(isErrorCondition)?.message;
  const synced = automated !== undefined || sync.status === 'Unknown' || same(compared, expected);
  if (synced && sync.status !== 'Synced')
    return `It is ${sync.status}${because(error ?? operation?.message)}`;
  return isHealthy(application) ? undefined : `It is ${health.status}${because(health.message)}`;
}

const because = (text: string | undefined): string => (text === undefined ? '.' : `: ${text}`);

export const namesOf = (revisions: readonly string[]): string =>
  revisions.length === 0 ? 'nothing' : revisions.map((one) => one.slice(0, 12)).join(', ');

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index]);

/** Whether Argo CD may still change it in a moment, by itself. */
export const isMoving = ({ application }: Found): boolean => {
  const { automated, requested, operation, sync, health } = application;
  if (requested || (operation && isUnfinished(operation))) return true;
  return automated !== undefined && (sync.status === 'OutOfSync' || health.status === 'Progressing');
};

/**
 * What runs in the place of what an environment let in last; undefined: nothing else. Its image tells; without one, only
 * where Argo CD does not follow the branch, its revision.
 */
export function differing({ revision, image }: Deployed, found: Found | undefined): string | undefined {
  if (!found) return 'nothing';
  const isOwn = (one: string) => canonicalName(imageName(one)) === canonicalName(image?.name ?? '');
  const own = image ? found.images.filter(isOwn) : [];
  if (image && own.length > 0) {
    return own.some((one) => one.endsWith(image.digest)) ? undefined : own.join(', ');
  }
  if (found.application.automated || same(found.runs, [revision])) return undefined;
  return namesOf(found.runs);
}
