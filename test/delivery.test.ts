import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlatform, stages, type Platform } from './support/platform.ts';

/** Nothing is replaced here: the program's own processes, on the stack's Temporal, forge, registry, S3 and Argo CD. */
let platform: Platform;

beforeAll(async () => {
  platform = await makePlatform(['claims', 'gateway']);
  await Promise.all([platform.worker.start(), platform.server.start()]);
}, 120_000);

afterAll(() => platform.remove(), 60_000);

test('a commit goes through all environments, and its image runs in each of them', async () => {
  const commit = await platform.commit('claims');
  const { change } = await platform.gitops.deliver({ service: 'claims', commit });

  const delivery = await platform.carry(change);

  expect(delivery.steps.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'verify succeeded',
    'test succeeded',
    'build succeeded',
    ...stages.map((environment) => `${environment} succeeded`),
  ]);
  const image = `${delivery.image?.reference.split('@')[0]?.replace(/:[0-9a-f]{40}$/, '')}`;
  for (const environment of stages) {
    expect(delivery.environments[environment]).toMatchObject({
      state: 'succeeded',
      health: 'Healthy',
      sync: 'Synced',
      imageDigest: delivery.image?.digest,
    });
    expect(await platform.releaseCommits('claims', environment)).toHaveLength(1);
    const running = await platform.running('claims', environment);
    expect(running).toEqual([
      expect.stringMatching(new RegExp(`^${image}:${commit}@${delivery.image?.digest}$`)),
    ]);
  }
  expect(await platform.pullRequests('claims', 'staging')).toHaveLength(1);
  expect(await platform.pullRequests('claims', 'production')).toHaveLength(1);
}, 180_000);
