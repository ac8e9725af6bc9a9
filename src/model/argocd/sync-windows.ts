import type { Application } from './application.ts';
import { matchesGlob } from './glob.ts';

/**
 * A sync window of an AppProject (`spec.syncWindows`), as Argo CD 3.6 has it. `syncOverrun` is left out: it lets go on what
 * began before, and here it is asked what may begin.
 */
export interface SyncWindow {
  kind: string;
  /** Five cron fields, when it opens. */
  schedule: string;
  /** As Go writes it: `1h30m`. */
  duration: string;
  /** IANA name; UTC when absent. */
  timeZone?: string | undefined;
  /** Whether syncs that somebody asks for pass all the same. */
  manualSync?: boolean | undefined;
  /** All of the three lists have to match, not only one. */
  andOperator?: boolean | undefined;
  applications?: string[] | null | undefined;
  namespaces?: string[] | null | undefined;
  clusters?: string[] | null | undefined;
  description?: string | undefined;
}

export type WindowTarget = Pick<Application, 'name' | 'destination'>;

/**
 * The window that keeps a sync from being asked for now, in words, or undefined when none does. Argo CD's API server
 * asks the same before it starts one; an operation written without asking stands still until the window is over.
 *
 * @param by who asks for it: windows may let a person sync all the same, and never Argo CD itself
 */
export function closedWindow(
  windows: readonly SyncWindow[],
  target: WindowTarget,
  now: number,
  by: 'person' | 'argocd' = 'person',
): string | undefined {
  const {
    active,
    inactive,
    unreadable = [],
  } = Object.groupBy(
    windows.filter((window) => concerns(window, target)),
    (window) => standingOf(window, now),
  );
  // One that nobody can read keeps Argo CD from judging any.
  if (unreadable.length > 0) return unreadable.map(describe).join('; ');
  const of = (kind: string, among: SyncWindow[] = []): SyncWindow[] =>
    among.filter((window) => window.kind === kind);

  const denying = of('deny', active);
  const blocking = denying.length > 0 ? denying : of('allow', active).length > 0 ? [] : of('allow', inactive);
  const strict = blocking.filter(({ manualSync }) => by === 'argocd' || !manualSync);
  return strict.length === 0 ? undefined : strict.map(describe).join('; ');
}

const describe = ({ kind, schedule, duration, timeZone = 'UTC', description }: SyncWindow): string =>
  `${kind} "${schedule}" for ${duration} (${timeZone})${description === undefined ? '' : `: ${description}`}`;

function concerns(window: SyncWindow, { name, destination }: WindowTarget): boolean {
  const lists = [
    { patterns: window.applications, values: [name] },
    { patterns: window.clusters, values: [destination.name, destination.server].filter((value) => value) },
    // One that names no namespace has an empty one, which `*` matches.
    { patterns: window.namespaces, values: [destination.namespace ?? ''] },
  ].filter(({ patterns }) => patterns && patterns.length > 0);
  const matches = ({ patterns, values }: (typeof lists)[number]): boolean =>
    patterns?.some((pattern) => values.some((value) => matchesGlob(pattern, value ?? ''))) ?? false;
  return window.andOperator ? lists.length > 0 && lists.every(matches) : lists.some(matches);
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Active: it opened less than its duration ago. Unreadable: its schedule or its duration is none. */
function standingOf(
  { schedule, duration, timeZone = 'UTC' }: SyncWindow,
  now: number,
): 'active' | 'inactive' | 'unreadable' {
  const opens = parseSchedule(schedule);
  const lasts = parseDuration(duration);
  if (!opens || lasts === undefined) return 'unreadable';
  const local = now + offsetOf(timeZone, now);
  const earliest = local - lasts;
  // Day by day: a window may last for years.
  for (let day = Math.floor(local / dayMs) * dayMs; day + dayMs > earliest; day -= dayMs) {
    if (!opens.on(new Date(day))) continue;
    const starts = opens.at.map((minute) => day + minute * minuteMs);
    if (starts.some((start) => earliest < start && start < local)) return 'active';
  }
  return 'inactive';
}

const unitMs: Record<string, number> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** As Go's `time.ParseDuration` reads it; a negative one is over before it began. */
function parseDuration(text: string): number | undefined {
  if (/^[-+]?0$/.test(text)) return 0;
  if (!/^[-+]?((\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|ns))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/([\d.]+)([a-zµ]+)/g)];
  const sum = parts.reduce((all, [, count, unit = '']) => all + Number(count) * (unitMs[unit] ?? 0), 0);
  return text.startsWith('-') ? -sum : sum;
}

/** As Argo CD does, the zone's offset of today is used for all days. */
function offsetOf(timeZone: string, now: number): number {
  try {
    const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
    const zone = format.formatToParts(now).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes] = /^GMT([+-])(\d\d):(\d\d)/.exec(zone) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * minuteMs;
  } catch {
    return 0; // Argo CD takes an unknown zone for UTC.
  }
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const days = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const fields = [
  { first: 0, last: 59, names: [] },
  { first: 0, last: 23, names: [] },
  { first: 1, last: 31, names: [] },
  { first: 1, last: 12, names: months },
  { first: 0, last: 6, names: days },
];

/** On which (UTC) days it opens, and at which minutes of these. */
interface Schedule {
  on: (day: Date) => boolean;
  at: number[];
}

/** Undefined: it is no schedule. */
function parseSchedule(text: string): Schedule | undefined {
  const parts = text.trim().split(/\s+/);
  const sets = fields.map((field, i) => parseField(parts[i] ?? '', field));
  const [minute, hour, day, month, weekday] = sets;
  if (parts.length !== fields.length || !minute || !hour || !day || !month || !weekday) return undefined;
  const anyDay = [parts[2], parts[4]].some((part) => /(^|,)[*?](\/0*1)?(,|$)/.test(part ?? ''));
  return {
    on(date) {
      const onDay = day.has(date.getUTCDate());
      const onWeekday = weekday.has(date.getUTCDay());
      // Cron's own rule: a day of the month and a weekday together mean either of them.
      return month.has(date.getUTCMonth() + 1) && (anyDay ? onDay && onWeekday : onDay || onWeekday);
    },
    at: [...hour].flatMap((h) => [...minute].map((m) => h * 60 + m)),
  };
}

function parseField(
  text: string,
  { first, last, names }: { first: number; last: number; names: string[] },
): Set<number> | undefined {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [, from = '', to, step] = /^([^-/]+)(?:-([^-/]+))?(?:\/(\d+))?$/.exec(part) ?? [];
    const number = (value: string): number => {
      const name = names.indexOf(value.toUpperCase());
      if (name >= 0) return name + first;
      return /^\d+$/.test(value) ? Number(value) : Number.NaN;
    };
    const any = from === '*' || from === '?';
    const low = any ? first : number(from);
    const high = any || (to === undefined && step !== undefined) ? last : number(to ?? from);
    const by = Number(step ?? 1);
    if (!(low >= first && high <= last && low <= high && by > 0)) return undefined;
    for (let value = low; value <= high; value += by) values.add(value);
  }
  return values;
}
