import type { Preview } from '../../activities/contract.ts';
import { quick } from '../activity-options.ts';
import { place, type Promotion } from './promotion.ts';

/** What would change, before anything is written. */
export async function preview(p: Promotion): Promise<Preview> {
  const { environment } = p.input;
  const { release, settings } = p.ask;
  const work = quick(p.attempts, settings.queue);
  if (!p.since02) return { seen: await work.readRelease(place(p)) };
  return work.previewRelease({ environment, release, asked: settings.approval });
}
