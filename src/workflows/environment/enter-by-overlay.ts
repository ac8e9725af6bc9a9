import { uuid4 } from '@temporalio/workflow';
import { changeName } from '../../model/delivery/change.ts';
import type { DecisionRule } from '../../model/decisions/refuse-decision.ts';
import type { InPlace, Outcome } from '../../model/promotion/promotion.ts';
import { quick } from '../activity-options.ts';
import { awaitDecisions } from './gates/await-decisions.ts';
import type { Entered } from './promote.ts';
import { overlayFound, seen } from './promotion-events.ts';
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
  const refusal =
    (approval.by === 'decisions' ? await approve(p, inPlace, approval) : undefined) ?? withdrawal(p);
  if (refusal) return refusal;

  if (sync === 'automated') return { state: 'entered', released, revision, tree };
  const operationId = uuid4();
  const unsynced = await startSync(p, { release: released, revision, operationId, approval });
  return unsynced ?? { state: 'entered', released, revision, tree, operationId };
}

/** How Argo CD renders the very same commit may change while people decide: its Application has settings of its own. */
async function approve(p: Promotion, inPlace: InPlace, rule: DecisionRule): Promise<Outcome | undefined> {
  const { environment } = p.input;
  const { released, revision, authors } = inPlace;
  const release = { ...p.ask.release, ...(released.image && { image: released.image }) };
  for (let { rendered } = inPlace; ;) {
    const refusal = await awaitDecisions(p, { authors, ...(rendered && { rendered }) }, rule);
    if (refusal) return refusal;
    const { renderRelease } = quick(p.attempts, p.ask.settings.queue);
    const again = await renderRelease({ environment, release, revision });
    seen(p, again);
    if (again.manifestsDigest === rendered?.manifestsDigest) return undefined;
    rendered = again;
  }
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
