import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { BackupIndex } from '../../model/recovery/backup.ts';
import type { Restored, RestoredKind } from '../../model/recovery/recreation.ts';
import { createRestore, lastingReason } from '../../systems/argocd/restore.ts';
import { forEachConcurrently } from '../../systems/concurrency/for-each-concurrently.ts';
import { refused, withRecovery } from '../failures.ts';
import { Damaged, existingIndex, withBackup, type Stored } from '../backup/open.ts';
import type { RecreationActivities } from '../contract.ts';
import { guardOf, ownMarker } from './own-marker.ts';
import { drillLabels } from './remove-drill.ts';
import type { RecreationSystems } from './systems.ts';

/** Results go through Temporal, whose histories are small. */
const mostFailures = 20;
const tellEvery = 50;

/** Safe to repeat, side by side and late: each object is made once, and past its stage it changes nothing. */
export function createRestoreBackup(systems: RecreationSystems): Pick<RecreationActivities, 'restoreBackup'> {
  const { config, clusterOf } = systems;

  return {
    restoreBackup: ({ key, ...target }) =>
      withRecovery(async () => {
        const { recovery, scratch } = systems;
        const { stage } = await ownMarker(systems, target);
        if (stage === 'started') return { kinds: {}, failures: [] };
        const index = await existingIndex(recovery.store, key);
        const guard = guardOf(systems, target, 'restore');
        await guard('now');
        const restore = createRestore({
          kubernetes: clusterOf(target),
          namespace: config.argocd.namespace,
          guard,
          ...(target.drill && { labels: drillLabels(target) }),
        });
        const signal = cancellationSignal();
        const tally = new Tally(index);
        try {
          await withBackup(recovery, scratch, index, async (objects) => {
            // Sealing keys and what import does not know come last in it, and first here: others need them.
            for (const part of ['beside', 'imported'] as const) {
              await forEachConcurrently(config.recreation.parallel, objects(part), ({ object, line }) => {
                signal.throwIfAborted();
                return tally.count(object, () => restore(line));
              });
            }
          });
        } catch (error) {
          throw error instanceof Damaged ? refused(`${key} cannot be restored. ${error.message}`) : error;
        }
        return tally.restored;
      }),
  };
}

/** What became of the objects. */
class Tally {
  readonly restored: Restored = { kinds: {}, failures: [] };
  readonly #all: number;
  #done = 0;

  constructor({ counts }: BackupIndex) {
    this.#all = Object.values(counts).reduce((sum, count) => sum + count, 0);
    this.#tell();
  }

  /** @throws what another attempt may mend */
  async count(
    { kind, metadata: { name, namespace } }: Stored['object'],
    restore: () => Promise<'created' | 'kept'>,
  ): Promise<void> {
    const counts = (this.restored.kinds[kind] ??= none());
    try {
      counts[await restore()] += 1;
    } catch (error) {
      const reason = lastingReason(error, kind);
      if (reason === undefined) throw error;
      counts.failed += 1;
      const object = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
      if (this.restored.failures.length < mostFailures) this.restored.failures.push({ object, reason });
    }
    counts.expected += 1;
    this.#done += 1;
    if (this.#done % tellEvery === 0) this.#tell();
  }

  #tell(): void {
    heartbeat({ done: this.#done, of: this.#all, what: 'objects' });
  }
}

const none = (): RestoredKind => ({ expected: 0, created: 0, kept: 0, failed: 0 });
