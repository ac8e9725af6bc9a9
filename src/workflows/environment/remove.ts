import type { Outcome } from '../../model/promotion/promotion.ts';
import { quick, removing } from '../activity-options.ts';
import { cancelWhen } from '../cancel-when.ts';
import { awaitDecisions } from './gates/await-decisions.ts';
import { removed, seen, show } from './promotion-events.ts';
import { ended, place, withdrawal, type Promotion } from './promotion.ts';

/**
 * The service leaves the environment: its Application goes with all that it deployed, where people decide once they have
 * decided on that, and what is known of it is forgotten. Where a review lets changes in, the commit had its own.
 */
export async function remove(p: Promotion): Promise<Outcome> {
  const { environment } = p.input;
  const { release, settings, asker } = p.ask;
  const { approval, queue } = settings;
  const { current } = p.state;
  for (;;) {
    const preview = await quick(p.attempts, queue).previewRemoval({
      environment,
      release,
      ...(current && { current }),
      asked: approval,
    });
    seen(p, preview.rendered ?? {});
    const refusal =
      (approval.by === 'decisions' ? await awaitDecisions(p, preview, approval) : undefined) ?? withdrawal(p);
    if (refusal) return refusal;
    await show(p, { state: 'running' });

    const result = await deleteApplication(p, () =>
      removing(p.attempts, queue).removeApplication({
        environment,
        release,
        seen: preview.seen,
        ...(preview.rendered && { approved: preview.rendered.manifestsDigest }),
        asker,
      }),
    );
    if (result.state === 'failed') return result;
    if (result.state === 'refused') return ended(p, 'failed', result.reason);
    // Something else runs by now than what people saw: they are asked once more.
    if (result.state === 'changed') continue;
    await quick(p.attempts, 'delivery').forgetEnvironment({
      ...place(p),
      ...(current && { at: current.at }),
    });
    removed(p);
    return ended(p, 'succeeded');
  }
}

/** Waits until it is gone; a withdrawal ends the waiting, not what has begun. */
async function deleteApplication<T>(
  p: Promotion,
  work: () => Promise<T>,
): Promise<T | (Outcome & { state: 'failed' })> {
  try {
    return await cancelWhen(() => p.withdrawn !== undefined, work);
  } catch (error) {
    const withdrawn = withdrawal(p, ' What was being deleted by then is not brought back.');
    if (!withdrawn) throw error;
    return { ...withdrawn, state: 'failed' };
  }
}
