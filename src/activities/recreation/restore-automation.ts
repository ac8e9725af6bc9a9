import pLimit from 'p-limit';
import { isDeepStrictEqual } from 'node:util';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { z } from 'zod';
import { givenBack, heldBack } from '../../model/recovery/automation.ts';
import { isRecord } from '../../model/json.ts';
import type { Work } from '../../model/recovery/recreation.ts';
import { instanceName } from '../../model/argocd/tracking.ts';
import { rootsAmong } from '../../model/recovery/sync-waves.ts';
import { argoProjPath } from '../../systems/argocd/api-paths.ts';
import { isConflict, type Kubernetes } from '../../systems/kubernetes/index.ts';
import { ownRunIsOpen } from '../../systems/temporal/runs.ts';
import type { RecreationActivities } from '../contract.ts';
import { existingIndex } from '../backup/open.ts';
import { withRecovery } from '../failures.ts';
import { argoCdObjects } from './backed-up-applications.ts';
import type { RecreationSystems } from './systems.ts';

type Stored = Awaited<ReturnType<typeof argoCdObjects>>[number];

/**
 * Safe to repeat, side by side and late: only what still stands as it was held back is given back, in the very version
 * that was looked at.
 */
export function createRestoreAutomation(
  systems: RecreationSystems,
): Pick<RecreationActivities, 'restoreAutomation'> {
  const { config, temporal } = systems;

  return {
    restoreAutomation: ({ key, of, ...target }) =>
      withRecovery(async () => {
        const objects = await argoCdObjects(systems, await existingIndex(systems.recovery.store, key));
        const roots = rootsAmong(objects);
        const others = objects.filter(
          (object) => isApplication(object) && !roots.has(instanceName(object.metadata)),
        );
        // ApplicationSets leave Applications alone until all of these are as they were.
        const chosen = of === 'others' ? others : objects.filter((object) => !others.includes(object));
        const kubernetes = systems.clusterOf(target);
        const signal = cancellationSignal();
        const stillWanted = () => ownRunIsOpen(temporal);
        let [done, applications] = [0, 0];
        for (const group of [chosen.filter(isApplication), chosen.filter((one) => !isApplication(one))]) {
          await pLimit(config.recreation.parallel).map(group, async (object) => {
            signal.throwIfAborted();
            const given = await giveBack({ kubernetes, stillWanted }, config.argocd.namespace, object);
            if (given && isApplication(object)) applications += 1;
            done += 1;
            heartbeat({ done, of: chosen.length, what: 'Applications' } satisfies Work);
          });
        }
        return { applications };
      }),
  };
}

const isApplication = ({ kind }: Stored): boolean => kind === 'Application';

const live = z.looseObject({ metadata: z.looseObject({ resourceVersion: z.string() }) });

/** Argo CD writes an Application several times a second while it syncs; each conflict is one such write. */
const conflictLimit = 20;

/**
 * @param stillWanted asked before it is changed
 * @returns whether it syncs by itself as it did, now or already
 * @throws KubernetesError
 */
export async function giveBack(
  { kubernetes, stillWanted }: { kubernetes: Kubernetes; stillWanted: () => Promise<boolean> },
  home: string,
  object: Stored,
): Promise<boolean> {
  const patch = givenBack(object);
  if (!patch) return false;
  const { name, namespace = home } = object.metadata;
  const plural = isApplication(object) ? 'applications' : 'applicationsets';
  const path = argoProjPath(namespace, plural, name);
  const held = heldBack(object);
  for (let conflicts = 0; ; conflicts += 1) {
    const found = await kubernetes.get(path);
    if (found === undefined) return false;
    const { metadata } = live.parse(found);
    if (!agree(patch, found, held)) return agree(patch, found, object);
    if (!(await stillWanted())) return false;
    try {
      const { resourceVersion } = metadata;
      await kubernetes.patch(path, { metadata: { resourceVersion }, ...patch });
      return true;
    } catch (error) {
      if (!isConflict(error) || conflicts >= conflictLimit) throw error;
    }
  }
}

/** Whether two objects are the same wherever the patch would change something. */
function agree(patch: unknown, a: unknown, b: unknown): boolean {
  if (!isRecord(patch)) return isDeepStrictEqual(a, b);
  const [one, other] = [isRecord(a) ? a : {}, isRecord(b) ? b : {}];
  return Object.keys(patch).every((key) => agree(patch[key], one[key], other[key]));
}
