import type { SyncActivities } from '../../activities/contract.ts';
import type { Outcome } from '../../model/promotion/promotion.ts';
import { syncing } from '../activity-options.ts';
import { cancelWhen } from '../cancel-when.ts';
import { ended, place, withdrawal, type Promotion } from './promotion.ts';

type Sync = Parameters<SyncActivities['startSync']>[0];

/**
 * Is tried until a sync window opens, or another's operation ends; a withdrawal ends that.
 *
 * @returns why it was not started, if so
 */
export async function startSync(
  p: Promotion,
  sync: Pick<Sync, 'release' | 'revision' | 'operationId' | 'approval'>,
): Promise<Outcome | undefined> {
  const { startSync: start } = syncing(p.attempts);
  try {
    const started = await cancelWhen(
      () => p.withdrawn !== undefined,
      () => start({ ...place(p), ...sync, asker: p.ask.asker }),
    );
    return started.state === 'refused' ? ended(p, 'failed', started.reason) : undefined;
  } catch (error) {
    const withdrawn = withdrawal(p);
    if (withdrawn) return withdrawn;
    throw error;
  }
}
