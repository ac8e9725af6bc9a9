import type { Outcome } from '../../model/promotion/promotion.ts';
import { quick, removing } from '../activity-options.ts';
import { awaitDecisions } from './gates/await-decisions.ts';
import { removed, seen, show } from './promotion-events.ts';
import { ended, place, withdrawal, type Promotion } from './promotion.ts';
import { untilWithdrawn } from './until-withdrawn.ts';

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

    // What has begun is not ended by that.
    const result = await untilWithdrawn(p, ' What was being deleted by then is not brought back.', () =>
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
