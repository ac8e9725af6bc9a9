import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, test } from 'vitest';
import { expectDeliveredOnce, resultOf } from './support/delivered-once.ts';
import { noticedSoon } from './support/configuration.ts';
import { activitiesOf, runsOf } from './support/histories.ts';
import { killsIn, meddledWith } from './support/meddling.ts';
import { keepRunning, makePlatform, type Platform } from './support/platform.ts';

/** There are some thirty kills, each noticed by three seconds of silence. */
const patience = 20 * 60_000;

/** How long each activity takes when nobody is killed: which there are is not for this test to know. */
const usualMs: Record<string, number> = {};

beforeAll(async () => {
  const platform = await makePlatform();
  try {
    await Promise.all([platform.worker.start(), platform.server.start()]);
    const commit = await platform.commit('claims');
    const { change } = await platform.gitops.deliver({ service: 'claims', commit });
    await platform.carry(change);
    await expectDeliveredOnce(platform, change);
    for (const { point, ms } of await activitiesOfDelivery(platform)) usualMs[point] = ms;
  } finally {
    await platform.remove();
  }
}, 180_000);

/** The question beforehand, whether names are right, is none of it: who asks waits for its answer for twenty seconds only. */
async function activitiesOfDelivery({ temporal, name }: Platform) {
  const runs = await runsOf(temporal, name);
  return runs.filter(({ type }) => type !== 'resolveChanges').flatMap(activitiesOf);
}

const moments = [
  { kill: 'before', when: 'just before each activity' },
  { kill: 'during', when: 'half-way through each activity' },
  { kill: 'after', when: 'after each activity, before its answer is sent' },
] as const;

test.concurrent.for(moments)(
  'a delivery whose worker is killed $when ends as it would have',
  { timeout: patience },
  async ({ kill }, { expect }) => {
    const platform = await makePlatform(['claims'], noticedSoon, patience);
    const diary = join(mkdtempSync(join(tmpdir(), 'gitops-kills-')), 'diary');
    const { running, stop } = keepRunning(platform.worker, meddledWith({ kill, usualMs, diary }));
    try {
      await platform.server.start();
      const commit = await platform.commit('claims');
      const { change } = await platform.gitops.deliver({ service: 'claims', commit });
      await Promise.race([platform.carry(change).then(() => resultOf(platform, change)), running]);

      await expectDeliveredOnce(platform, change);
      const points = killsIn(diary).map(({ point }) => point);
      const killedAt = new Set(points.filter((point) => Object.hasOwn(usualMs, point)));
      expect([...killedAt].toSorted()).toEqual(Object.keys(usualMs).toSorted());
      const activities = await activitiesOfDelivery(platform);
      expect(activities.filter(({ attempts }) => attempts === 1)).toEqual([]);
    } finally {
      await stop();
      await platform.remove();
    }
  },
);
