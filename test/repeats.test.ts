import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { applicationName } from '../src/config/environments.ts';
import { environmentId } from '../src/model/temporal/workflow-ids.ts';
import { environmentStatus } from '../src/model/temporal/messages.ts';
import { expectDeliveredOnce, resultOf, tagsOf, untilAtRest } from './support/delivered-once.ts';
import { activitiesOf, runsOf } from './support/histories.ts';
import { meddledWith } from './support/meddling.ts';
import { makePlatform, stages, type Platform } from './support/platform.ts';

const minutes = 60_000;

let platform: Platform;
let diary: string;
const noted = () => readFileSync(diary, 'utf8').trim().split('\n');

beforeEach(async () => {
  platform = await makePlatform();
  diary = join(mkdtempSync(join(tmpdir(), 'gitops-repeats-')), 'diary');
  await platform.server.start();
});

afterEach(() => platform.remove());

test.for(['in a row', 'at once'] as const)(
  'a delivery in which every activity is done twice %s ends as it would have',
  { timeout: 6 * minutes },
  async (twice) => {
    await platform.worker.start(meddledWith({ twice, diary }));
    const change = await deliver(await platform.commit('claims'));

    await expectDeliveredOnce(platform, change);
    const done = (await runsOf(platform.temporal, platform.name)).flatMap(activitiesOf);
    expect(new Set(noted())).toEqual(new Set(done.map(({ point }) => point)));
  },
);

test(
  'attempts that come back when a newer change has long won change nothing',
  { timeout: 6 * minutes },
  async () => {
    await platform.worker.start(meddledWith({ late: true, diary }));
    // The first is cancelled, so that its pull request is closed, and then carried on the same branch.
    const commit = await platform.commit('claims');
    const { change } = await platform.gitops.deliver({ service: 'claims', commit });
    await platform.sees(change, { environments: { staging: { state: 'waiting' } } });
    await platform.gitops.cancel(change);
    await expect(resultOf(platform, change)).rejects.toThrow();
    await deliver(commit);
    await deliver(await platform.commit('claims'));
    const done = (await runsOf(platform.temporal, platform.name)).flatMap(activitiesOf);
    const before = await everything();

    const { pid } = platform.worker;
    if (pid !== undefined) process.kill(pid, 'SIGHUP');
    await vi.waitFor(() => expect(noted().at(-1)).toBe('all'), { timeout: 2 * minutes, interval: 500 });

    expect(await everything()).toEqual(before);
    const came = new Set(noted().map((line) => line.replace(/ \w+$/, '')));
    expect(done.filter(({ point }) => !came.has(point))).toEqual([]);
  },
);

/** Starts a delivery and carries it to its end. @returns the change's name */
async function deliver(commit: string): Promise<string> {
  const { change } = await platform.gitops.deliver({ service: 'claims', commit });
  await platform.carry(change);
  await resultOf(platform, change);
  await untilAtRest(platform, 'claims');
  return change;
}

/** All that an activity may change. Logs and diffs are its own; what counts is what people are shown. */
async function everything(): Promise<object> {
  const { config, gitea, gitops, kubectl, objects, name, temporal } = platform;
  const names = stages.map((stage) => applicationName(config, 'claims', stage));
  const applications = JSON.parse(
    await kubectl(['get', 'application', '-n', 'argocd', '-o', 'json', ...names]),
  ) as { items: { spec: object; operation?: object; status: { history: object; operationState: object } }[] };
  const { changes } = await gitops.list();
  const deliveries = await Promise.all(changes.map(({ change }) => gitops.status(change)));
  const shown = deliveries
    .flatMap((delivery) => Object.values(delivery.environments))
    .map(({ diff }) => diff);
  const stored = (await objects.list('', 1000)).map(({ key }) => key);
  const kept = stored.filter((key) => !/^(logs|diffs)\//.test(key));
  const keys = [...kept, ...shown.filter((diff) => diff !== undefined)];
  const views = stages.map((stage) =>
    temporal.workflow.getHandle(environmentId(name, stage, 'claims')).query(environmentStatus),
  );
  return {
    branches: await gitea.api('GET', '/branches'),
    pullRequests: await gitea.api('GET', '/pulls?state=all'),
    objects: await Promise.all(keys.map(async (key) => [key, await objects.get(key)])),
    image: await tagsOf(config.registry.image.replace('{service}', 'claims')),
    applications: applications.items.map(({ spec, operation, status: { history, operationState } }) => ({
      spec,
      operation,
      history,
      operationState,
    })),
    changes,
    deliveries,
    environments: await Promise.all(views),
  };
}
