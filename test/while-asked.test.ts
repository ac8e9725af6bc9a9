import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlatform, type Platform } from './support/platform.ts';

/** Where a newer change does not wait for the review of an older one. */
let platform: Platform;

beforeAll(async () => {
  const staging = {
    name: 'staging',
    application: `${randomUUID().slice(0, 8)}-{service}-{environment}`,
    approval: 'review',
    whileAsked: 'replace',
  };
  platform = await makePlatform(['claims'], { environments: [staging] });
  await Promise.all([platform.worker.start(), platform.server.start()]);
}, 120_000);

afterAll(() => platform.remove(), 60_000);

test('a newer commit takes the place of one that is reviewed, whose pull request says which', async () => {
  const { gitea, gitops } = platform;
  const deliver = async () =>
    (await gitops.deliver({ service: 'claims', commit: await platform.commit('claims') })).change;
  const waits = { environments: { staging: { state: 'waiting' } } };
  const older = await deliver();
  await platform.sees(older, waits);
  const [number = 0] = await platform.pullRequests('claims', 'staging');

  const newer = await deliver();
  const reason = `${newer} is newer and goes instead.`;
  await platform.sees(older, { state: 'superseded', reason });
  const closed = await gitea.forge.pullRequest(number);
  expect(closed).toMatchObject({ state: 'closed', body: expect.stringMatching(/^Closed:\s+```\s+/) });
  expect(closed?.body).toContain(reason);
  expect(await platform.command('status', older, '--watch')).toMatchObject({ exitCode: 3 });

  await platform.sees(newer, waits);
  await platform.review(newer, 'staging');
  await platform.sees(newer, { state: 'succeeded' });
  expect(await platform.pullRequests('claims', 'staging')).toHaveLength(2);
}, 600_000);
