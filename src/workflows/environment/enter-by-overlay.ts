import { uuid4 } from '@temporalio/workflow';
import { changeName } from '../../model/delivery/change.ts';
import type { InPlace, Outcome } from '../../model/promotion/promotion.ts';
import { quick } from '../activity-options.ts';
import { awaitDecisions } from './gates/await-decisions.ts';
import type { Entered } from './promote.ts';
import { overlayFound } from './promotion-events.ts';
import { withdrawal, type Promotion } from './promotion.ts';
import { startSync } from './start-sync.ts';

/**
 * People's overlay is on the branch already, and the release stays: it is decided on where that is asked for, and synced
 * where Argo CD does not by itself.
 */
export async function enterByOverlay(p: Promotion): Promise<Entered | Outcome> {
  const { approval, sync } = p.ask.settings;
  const inPlace = p.done.inPlace ?? (await preview(p));
  const { released, tree, revision } = inPlace;
  const { image } = released;
  const release = { ...p.ask.release, ...(image && { image }) };
  const refusal =
    (approval.by === 'decisions' ? await awaitDecisions(p, inPlace, approval) : undefined) ?? withdrawal(p);
  if (refusal) return refusal;

  if (sync === 'automated') return { state: 'entered', released, revision, tree };
  const operationId = uuid4();
  const unsynced = await startSync(p, inPlace, { release, released, revision, operationId });
  return unsynced ?? { state: 'entered', released, revision, tree, operationId };
}

async function preview(p: Promotion): Promise<InPlace> {
  const { environment } = p.input;
  const { release, onto, settings } = p.ask;
  const { current } = p.state;
  if (!onto) throw new Error(`${changeName(release.change)} was asked for without the release that stays.`);
  const inPlace = await quick(p.attempts, settings.queue).previewOverlay({
    environment,
    release,
    onto,
    ...(current && { current }),
    asked: settings.approval,
  });
  overlayFound(p, inPlace);
  return inPlace;
}
