import { expect } from 'vitest';
import { refused } from '../../src/activities/failures.ts';
import { test, useTemporal } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

// A change of overlays alone: what is released stays.

const at = (position: number) => ({ service: 'claims', commit: World.commit(position) });
const change = at(7);
const overlayChange = at(8);

test('an overlay goes to its environment alone, is decided on, and synced with the release that is there', async ({
  rig,
}) => {
  rig.world.overlays.set(overlayChange.commit, { environments: ['production'], onto: change });
  const delivery = await rig.deliver(overlayChange);
  await rig.sees(overlayChange, { waitingFor: '2 of 2 approvals' });
  await rig.decide('production', { change: overlayChange, verdict: 'approve', by: 'board-1' });
  await rig.decide('production', { change: overlayChange, verdict: 'approve', by: 'board-2' });

  const result = await delivery.result();
  expect(result).toMatchObject({ state: 'succeeded', overlaysOnly: true });
  expect(result.steps.map(({ name }) => name)).toEqual(['verify', 'production']);
  expect(rig.world.effects).toEqual(['look at the overlay of production', 'sync production tip']);
  expect(await rig.view('production', 'claims')).toMatchObject({
    current: { change, position: 7, overlay: { commit: overlayChange.commit, position: 8 }, revision: 'tip' },
  });
});

test('where Argo CD syncs by itself it is only waited for, and tested end to end with the image that is there', async ({
  rig,
}) => {
  rig.world.overlays.set(overlayChange.commit, { environments: ['staging'], onto: change });
  const delivery = await rig.deliver(overlayChange);
  expect((await delivery.result()).state).toBe('succeeded');
  expect(rig.world.effects).toEqual(['look at the overlay of staging', 'end-to-end staging']);
  expect(rig.world.tested).toMatchObject([
    { change: overlayChange, image: { digest: `sha256:${change.commit.padEnd(64, '0')}` } },
  ]);
});

test('one that is rejected is not synced', async ({ rig }) => {
  rig.world.overlays.set(overlayChange.commit, { environments: ['production'], onto: change });
  await rig.deliver(overlayChange);
  await rig.sees(overlayChange, { waitingFor: '2 of 2 approvals' });
  await rig.decide('production', { change: overlayChange, verdict: 'reject', by: 'board-1' });
  await rig.sees(overlayChange, { state: 'rejected' });
  expect(rig.world.effects).toEqual(['look at the overlay of production']);
});

test('one that no longer fits what is released there fails, and says why', async ({ rig }) => {
  rig.world.overlays.set(overlayChange.commit, { environments: ['dev'], onto: change });
  const look = rig.world.hold('dev previewOverlay');
  await rig.deliver(overlayChange);
  await look.begun;
  const reason = 'manifests/claims/overlays/dev/release does not hold the release of claims/1 any more.';
  look.fail(refused(reason));
  await rig.sees(overlayChange, { state: 'failed', environments: { dev: { state: 'failed', reason } } });
});

test('after it, no change goes there that lies before it on the branch, though what is released is older still', async ({
  rig,
}) => {
  rig.world.environments = ['dev'];
  rig.world.overlays.set(overlayChange.commit, { environments: ['dev'], onto: at(5) });
  await (await rig.deliver(overlayChange)).result();
  const between = await rig.deliver(at(6));
  expect(await between.result()).toMatchObject({
    state: 'superseded',
    reason: `claims/${overlayChange.commit} is newer and is here already.`,
  });
  const newer = await rig.deliver(at(9));
  expect((await newer.result()).state).toBe('succeeded');
});

test('what Argo CD would render of it by then is decided on anew, when that moved while people decided', async ({
  rig,
}) => {
  rig.world.movedDigest = 'sha256:moved';
  rig.world.overlays.set(overlayChange.commit, { environments: ['production'], onto: change });
  await rig.deliver(overlayChange);
  await rig.sees(overlayChange, { waitingFor: '2 of 2 approvals' });
  const approve = (by: string) => rig.decide('production', { change: overlayChange, verdict: 'approve', by });
  await approve('board-1');
  await approve('board-2');
  await rig.sees(overlayChange, {
    environments: { production: { state: 'waiting', manifestsDigest: 'sha256:moved' } },
  });
  expect(rig.world.effects).toEqual(['look at the overlay of production']);
  await approve('board-1');
  await approve('board-2');
  await rig.sees(overlayChange, { state: 'succeeded' });
  expect(rig.world.effects).toEqual(['look at the overlay of production', 'sync production tip']);
});

test('an overlay takes no release’s place: the release goes first, and the overlay after it', async ({
  rig,
}) => {
  rig.world.environments = ['dev'];
  rig.world.overlays.set(at(9).commit, { environments: ['dev'], onto: change });
  const health = rig.world.hold('dev awaitHealthy', { hears: false });
  const first = await rig.deliver(change);
  await health.begun;
  const overlay = await rig.deliver(at(9));
  await expect.poll(async () => (await rig.view('dev', 'claims')).waiting.length).toBe(1);
  const fix = await rig.deliver(overlayChange);
  await expect.poll(async () => (await rig.view('dev', 'claims')).waiting.length).toBe(2);
  health.goOn();
  expect((await first.result()).state).toBe('superseded');
  expect((await fix.result()).state).toBe('succeeded');
  expect((await overlay.result()).state).toBe('succeeded');
});

test('a delivery that is cancelled while people decide on an overlay syncs nothing', async ({ rig }) => {
  rig.world.overlays.set(overlayChange.commit, { environments: ['production'], onto: change });
  const delivery = await rig.deliver(overlayChange);
  await rig.sees(overlayChange, { waitingFor: '2 of 2 approvals' });
  await delivery.cancel();
  await expect(delivery.result()).rejects.toThrow();
  await expect
    .poll(async () => (await rig.view('production', 'claims')).active, { timeout: 60_000 })
    .toBeUndefined();
  expect(rig.world.effects).toEqual(['look at the overlay of production']);
});
