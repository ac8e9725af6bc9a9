import { setTimeout as sleep } from 'node:timers/promises';
import { heartbeat } from '@temporalio/activity';
import { z } from 'zod';
import { milliseconds } from '../../config/duration.ts';
import type { Work } from '../../model/recovery/recreation.ts';
import { argoProjPath } from '../../systems/argocd/api-paths.ts';
import type { SyncResource } from '../../systems/argocd/index.ts';
import type { RecreationActivities } from '../contract.ts';
import { withRecovery } from '../failures.ts';
import { backedUpApplications, type BackedUp } from './backed-up-applications.ts';
import { withRebuiltCluster, type RebuiltCluster } from './rebuilt-cluster.ts';
import { runOperation } from './sync-application.ts';
import { ranOnce } from './sync-wave.ts';
import type { RecreationSystems } from './systems.ts';
import { followApplication } from './follow-application.ts';

const resource = z.object({
  group: z.string().default(''),
  kind: z.string(),
  namespace: z.string().optional(),
  name: z.string(),
});
const rootSchema = z.object({
  status: z.object({
    resources: z
      .array(resource.extend({ hook: z.boolean().optional(), requiresPruning: z.boolean().optional() }))
      .nullish(),
    operationState: z
      .object({
        syncResult: z
          .object({ resources: z.array(resource.extend({ status: z.string().optional() })).nullish() })
          .nullish(),
      })
      .nullish(),
  }),
});
type Root = z.infer<typeof rootSchema>;

/** Each one leaves out what the one before could not apply: a kind, say, whose definition a later Application brings. */
const tries = 5;
/** Before another try with the same resources: something else failed, such as a repository that is away. */
const pauseMs = 5000;

/** Safe to repeat and side by side: the ID of each operation finds it again. */
export const createSyncFrame = (systems: RecreationSystems): Pick<RecreationActivities, 'syncFrame'> => ({
  syncFrame: ({ key, ...target }) =>
    withRecovery(async () => {
      const all = await backedUpApplications(systems, key);
      const roots = all.filter(({ root }) => root).filter(ranOnce);
      return withRebuiltCluster(systems, target, async (rebuilt) => {
        let [done, healthy] = [0, 0];
        await rebuilt.slots.map(roots, async (root) => {
          if (await frame(rebuilt, root)) healthy += 1;
          done += 1;
          heartbeat({ done, of: roots.length, what: 'roots' } satisfies Work);
        });
        return { applications: roots.length, healthy };
      });
    }),
});

/** Applies what a root holds beside Applications. What it lacks in the end, its own sync brings. */
async function frame(rebuilt: RebuiltCluster, root: BackedUp): Promise<boolean> {
  if (!(await isLookedAt(rebuilt, root))) return false;
  const { kubernetes, config } = rebuilt;
  const namespace = root.namespace ?? config.argocd.namespace;
  const path = argoProjPath(namespace, 'applications', root.name);
  const read = async (): Promise<Root> => rootSchema.parse(await kubernetes.get(path));

  let resources = framed(await read());
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    // None at all would mean all of them.
    if (resources.length === 0) return true;
    if ((await runOperation(rebuilt, root, `frame ${attempt}`, resources)).succeeded) return true;
    const failed = new Set(refusedBy(await read()).map(nameOf));
    const left = resources.filter((one) => !failed.has(nameOf(one)));
    if (left.length === resources.length) {
      await sleep(pauseMs, undefined, { signal: rebuilt.argocds.signal });
    }
    resources = left;
  }
  return false;
}

/** A clone of a large repository takes minutes; all others wait for this. */
const lookWithinMs = 3 * 60_000;

/**
 * Waits until Argo CD has compared the root since it runs again: before, the restored status may name what was there once.
 * A comparison that failed, since the repository server had only just begun, does not tell what the root holds.
 */
async function isLookedAt(
  { argocds, config, startedAt }: RebuiltCluster,
  { name, namespace }: BackedUp,
): Promise<boolean> {
  const deadline = Date.now() + Math.min(lookWithinMs, milliseconds(config.recreation.healthy));
  const end = await followApplication({
    argocd: argocds.of(namespace),
    name,
    signal: argocds.signal,
    next(application) {
      if (!application || application.deleting) return 'give-up';
      const { reconciledAt = 0, sync } = application;
      return reconciledAt >= startedAt && sync.status !== 'Unknown' ? 'done' : 'refresh';
    },
    deadline: () => deadline,
  });
  return end === 'done';
}

/** Applications are synced by themselves, in their order. */
const framed = ({ status }: Root): SyncResource[] =>
  (status.resources ?? [])
    .filter(({ hook, requiresPruning }) => !hook && !requiresPruning)
    .filter(({ group, kind }) => group !== 'argoproj.io' || !['Application', 'ApplicationSet'].includes(kind))
    .map(({ group, kind, namespace, name }) => ({ group, kind, ...(namespace && { namespace }), name }));

const refusedBy = ({ status }: Root): SyncResource[] =>
  (status.operationState?.syncResult?.resources ?? []).filter((one) => one.status === 'SyncFailed');

const nameOf = ({ group, kind, namespace = '', name }: SyncResource): string =>
  `${group}/${kind}/${namespace}/${name}`;
