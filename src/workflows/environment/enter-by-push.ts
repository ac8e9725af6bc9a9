import type { Outcome } from '../../model/promotion/promotion.ts';
import { quick } from '../activity-options.ts';
import type { Entered } from './promote.ts';
import { preview } from './preview.ts';
import { ended, withdrawal, type Promotion } from './promotion.ts';

/** Writes the release straight to the protected branch. */
export async function enterByPush(p: Promotion): Promise<Entered | Outcome> {
  const { environment } = p.input;
  const { release, asker, settings } = p.ask;
  const { seen } = await preview(p);
  const withdrawn = withdrawal(p);
  if (withdrawn) return withdrawn;
  const written = await quick(p.attempts, settings.queue).writeRelease({ environment, release, seen, asker });
  if (written.state === 'refused') return ended(p, 'failed', written.reason);
  return { ...written, state: 'entered' };
}
