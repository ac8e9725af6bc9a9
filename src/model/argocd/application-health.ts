import {
  isFailed,
  isUnfinished,
  resourceName,
  type Application,
  type Operation,
  type ResourceState,
} from './application.ts';

/** Which release a promotion waits for. */
export interface Wanted {
  revision: string;
  /** Set where the promotion syncs by itself, at exactly `revision`; else Argo CD follows the branch's head. */
  operationId?: string;
  /** The operation was seen. */
  taken?: boolean;
  /** When the waiting began, in milliseconds: the revision was there by then. */
  since: number;
  /** How long an object of a kind may be Degraded, in milliseconds, where that is not as usual. */
  mayBeDegradedMs?: Readonly<Record<string, number>>;
}

/**
 * Whether a revision of a shared repository holds the wanted release: `behind`, it does not hold the release's commit
 * (yet); `here`, it does, and `release/` is as it was written; `replaced`, it does, but another release came after it.
 * By ancestry, never by equality: other services' commits move the head all the time.
 */
export type Presence = 'behind' | 'here' | 'replaced';

/** What only the repository knows of the revisions that the Application names. */
export interface ReleasePresence {
  /** In `sync.revision`. */
  compared: Presence;
  /** In `operation.revision`. */
  synced: Presence;
  /** That holds the same manifests as the wanted revision: not only its release, also what people write beside it. */
  syncedIsSame: boolean;
  /** In `deployedRevision`. */
  deployed: Presence;
  /** The head holds the same manifests as the wanted revision, so that Synced means something for it. */
  headIsSame: boolean;
}

export type Judgement =
  /**
   * `stale`: Argo CD's look at it is too old to be trusted, so it has to be refreshed. `drifted`: the revision that was
   * synced, where the cluster has not been as it says for a while since.
   */
  | { state: 'waiting'; for: string; stale?: true; drifted?: string }
  | { state: 'healthy'; revision: string }
  | { state: 'overtaken'; reason: string }
  | { state: 'failed'; reason: string }
  /** The operation was never taken up (a controller that ended another one has cleared it): submit it again. */
  | { state: 'lost' };

/**
 * A rollout that replaces a broken one needs some seconds to leave Degraded, and a sync that failed at an older head
 * is tried again at a newer one.
 */
export const graceMs = 30_000;

/**
 * An autoscaler is Degraded until the first metrics of its pods come, which takes minutes: that ends by itself, or the
 * promotion ends at its deadline.
 */
const usuallyPassesMs: Readonly<Record<string, number>> = {
  HorizontalPodAutoscaler: Infinity,
  ScaledObject: Infinity,
  ScaledJob: Infinity,
};

/** These rest while they are suspended, and somebody wants them to: they start when they are needed. */
const restSuspended = new Set(['CronJob', 'Job', 'ScaledJob', 'ScaledObject']);

/** Right after a sync, Argo CD often takes for a drift what it has just applied. */
export const driftMs = 15_000;

/** A render that is still broken this long after the commit is broken by it, or not mended by it. */
export const brokenRenderMs = 60_000;

/** Whether the wanted release runs, from what Argo CD says and when it looked. */
export function judge(
  application: Application | undefined,
  wanted: Wanted,
  presence: ReleasePresence,
  now: number,
): Judgement {
  if (!application) return { state: 'waiting', for: 'the Application to be created' };
  if (application.deleting) return { state: 'waiting', for: 'the Application, which is being deleted' };
  return wanted.operationId === undefined
    ? judgeFollowing(application, wanted, presence, now)
    : judgeOperation(application, { ...wanted, operationId: wanted.operationId }, presence, now);
}

/** Argo CD follows the branch and syncs by itself. */
function judgeFollowing(
  app: Application,
  wanted: Wanted,
  { compared, synced, deployed }: ReleasePresence,
  now: number,
): Judgement {
  const { operation } = app;
  const { since } = wanted;
  if (compared === 'replaced') return overtaken(app.sync.revision);

  const broken = app.conditions.find(isBrokenRender);
  // Argo CD does not say which revision it could not render: count only what it saw well after the commit.
  if (broken && (app.reconciledAt ?? 0) >= since + brokenRenderMs)
    return { state: 'failed', reason: broken.message };
  if (compared === 'behind') {
    const error = app.conditions.find(isErrorCondition);
    return {
      state: 'waiting',
      for: `Argo CD to see the commit${error ? `: ${error.message}` : ''}`,
      stale: true,
    };
  }

  // Right after a sync, Argo CD often takes what it has just applied for a drift. That it heals is no news.
  const healing = operation?.healing && deployed === 'here';
  if (operation && isUnfinished(operation) && !healing) return { state: 'waiting', for: describe(operation) };
  if (app.requested && !healing) return { state: 'waiting', for: 'the sync to start' };
  if (operation && synced === 'here' && isFailed(operation)) {
    const final = operation.revision === app.sync.revision || lasts(operation.finishedAt, graceMs, now);
    if (final) return { state: 'failed', reason: `The sync failed: ${operation.message ?? operation.phase}` };
  }
  if (app.sync.status !== 'Synced') {
    const error = app.conditions.find(isErrorCondition);
    return {
      state: 'waiting',
      for: `${syncer(app)} (${error?.message ?? describeSync(app)})`,
      ...(synced === 'here' && drift(operation, now)),
    };
  }
  return judgeHealth(app, { ...wanted, revision: app.sync.revision ?? '' }, now);
}

/** This program asked for the sync of exactly one revision. */
function judgeOperation(
  app: Application,
  wanted: Wanted & { operationId: string },
  { synced, syncedIsSame, headIsSame }: ReleasePresence,
  now: number,
): Judgement {
  const { operation, requested } = app;
  const ours = operation?.id === wanted.operationId;
  if (operation && isUnfinished(operation)) {
    return {
      state: 'waiting',
      for: ours ? describe(operation) : `the operation of ${operation.by} to end`,
    };
  }
  if (requested) {
    const mine = requested.id === wanted.operationId;
    return { state: 'waiting', for: mine ? 'the sync to start' : 'another operation to end' };
  }
  if (!operation) return { state: 'lost' };
  if (ours && isFailed(operation)) {
    return { state: 'failed', reason: `The sync failed: ${operation.message ?? operation.phase}` };
  }
  // Somebody else's operation may have come after ours: what counts is what it brought.
  if (synced === 'replaced') return overtaken(operation.revision);
  if (synced === 'behind' || isFailed(operation)) {
    // Who put something else there after it had been there meant to: it is not put back.
    const was = wanted.taken || app.deployedRevisions.includes(wanted.revision);
    if (!was) return { state: 'lost' };
    return {
      state: 'failed',
      reason: `Another sync came after it, of ${operation.revision}, by ${operation.by}.`,
    };
  }
  if (!syncedIsSame) {
    return {
      state: 'failed',
      reason: `Another sync came after it, of ${operation.revision}, by ${operation.by}, with another overlay than was promoted. Deliver the newest change to get both.`,
    };
  }
  if (headIsSame && app.sync.status !== 'Synced') {
    return {
      state: 'waiting',
      for: `Argo CD to see it as synced (${describeSync(app)})`,
      stale: true,
      ...drift(operation, now),
    };
  }
  return judgeHealth(app, { ...wanted, revision: operation.revision ?? wanted.revision }, now);
}

function drift(operation: Operation | undefined, now: number): { drifted?: string } {
  if (operation?.revision === undefined || isFailed(operation)) return {};
  return lasts(operation.finishedAt, driftMs, now) ? { drifted: operation.revision } : {};
}

const syncer = ({ automated }: Application): string =>
  automated ? 'Argo CD to sync' : 'somebody to sync it, since it has no spec.syncPolicy.automated';

/** So many objects are named in what is waited for. */
const namedAtMost = 5;

function describeSync({ sync, resources }: Application): string {
  const different = resources.filter((resource) => resource.sync === 'OutOfSync').map(resourceName);
  const more = different.length - namedAtMost;
  const names = [...different.slice(0, namedAtMost), ...(more > 0 ? [`${more} more`] : [])].join(', ');
  return names === '' ? sync.status : `${sync.status}: ${names}`;
}

function judgeHealth(app: Application, wanted: Wanted, now: number): Judgement {
  const { health, operation } = app;
  if (!isFresh(app)) return { state: 'waiting', for: 'Argo CD to look again', stale: true };
  if (isHealthy(app)) return { state: 'healthy', revision: wanted.revision };
  // A release that was broken and is delivered again was mended elsewhere: it is given the same time.
  const since = Math.max(health.since ?? 0, operation?.finishedAt ?? 0, wanted.since);
  const paused = suspended(app).find(({ kind }) => kind === 'Deployment');
  if (paused && lasts(since, graceMs, now)) return { state: 'failed', reason: describeSuspended(paused) };
  if (health.status === 'Degraded') {
    const graces = degradedKinds(app).map((kind) => graceOf(kind, wanted));
    if (lasts(since, Math.min(...graces), now)) return { state: 'failed', reason: describeHealth(app) };
  }
  return { state: 'waiting', for: `health (${describeHealth(app)})` };
}

/** Healthy, or nothing keeps it from that but what rests on purpose. */
export function isHealthy(app: Application): boolean {
  const { status } = app.health;
  if (status === 'Healthy') return true;
  return status === 'Suspended' && isOf(app, 'Suspended').length > 0 && suspended(app).length === 0;
}

const isOf = ({ resources }: Application, status: string): ResourceState[] =>
  resources.filter(({ health }) => health?.status === status);

const suspended = (app: Application): ResourceState[] =>
  isOf(app, 'Suspended').filter(({ kind }) => !restSuspended.has(kind));

/** Before 3.0, Argo CD repeated a resource's message without its name. */
function degradedKinds(app: Application): string[] {
  const named = isOf(app, 'Degraded').map(({ kind }) => kind);
  if (named.length > 0) return named;
  return [/\bHPA\b/.test(app.health.message ?? '') ? 'HorizontalPodAutoscaler' : ''];
}

const graceOf = (kind: string, { mayBeDegradedMs }: Wanted): number =>
  mayBeDegradedMs?.[kind] ?? usuallyPassesMs[kind] ?? graceMs;

function describeHealth(app: Application): string {
  const { status, message } = app.health;
  const [first] = suspended(app);
  if (status === 'Suspended' && first) return describeSuspended(first);
  const troubled = isOf(app, status).map(resourceName).join(', ');
  return [status, troubled === '' ? message : troubled].filter(Boolean).join(': ');
}

function describeSuspended(resource: ResourceState): string {
  const { kind, name, namespace = 'default' } = resource;
  const it = resourceName(resource);
  switch (kind) {
    case 'Deployment':
      return `${it} is paused, so its new pods do not start. Resume it: kubectl -n ${namespace} rollout resume deployment/${name}, and take spec.paused out of its manifest.`;
    case 'Rollout':
      return `${it} is paused: it goes on by itself, or by kubectl argo rollouts -n ${namespace} promote ${name}`;
    default:
      return `${it} is suspended: resume it`;
  }
}

/**
 * Health counts only when it was looked at after the sync. Both times are whole seconds: within the same one, Synced
 * shows which came first (before the sync it read OutOfSync); where it cannot, the look has to be later.
 */
export function isFresh({ reconciledAt = 0, operation, sync }: Application): boolean {
  const finishedAt = operation?.finishedAt ?? operation?.startedAt ?? 0;
  return sync.status === 'Synced' ? reconciledAt >= finishedAt : reconciledAt > finishedAt;
}

/** What an unfinished operation is doing: among others, that it waits for a person (`Prune=confirm`). */
function describe({ phase, message = '', finishedAt }: Operation): string {
  if (phase === 'Terminating') return 'the sync to end, which was terminated';
  if (finishedAt !== undefined) return `the sync to be tried again (${message})`;
  return `the sync${message === '' ? '' : ` (${message})`}`;
}

const overtaken = (revision = ''): Judgement => ({
  state: 'overtaken',
  reason: `Another release was written over this one by ${revision.slice(0, 12)}.`,
});

export const isErrorCondition = ({ type }: { type: string }): boolean => type.endsWith('Error');

/** Told by the text, since Argo CD has one condition for a forge that is away and for manifests that are wrong. */
const isBrokenRender = ({ type, message }: Application['conditions'][number]): boolean =>
  type === 'ComparisonError' && /kustomize build .* failed/.test(message);

const lasts = (since: number | undefined, ms: number, now: number): boolean => now - (since ?? now) >= ms;
