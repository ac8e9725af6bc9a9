import { WorkflowNotFoundError } from '@temporalio/client';
import { describe, expect, vi } from 'vitest';
import { createClient, type Delivery, GitopsError } from '../../src/client.ts';
import { failed, refused } from '../../src/activities/failures.ts';
import { deliverId } from '../../src/model/temporal/workflow-ids.ts';
import type { Selection } from '../../src/model/temporal/input-schemas.ts';
import { startCommand } from '../support/cli.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

const commit = World.commit(7);
const change = { service: 'claims', commit };
const name = `claims/${commit}`;

const clientOf = (rig: Rig) => createClient(rig.temporal.client, rig.platform);

/** Visibility lags behind. */
const soon = <T>(look: () => Promise<T>): Promise<T> => vi.waitFor(look, { timeout: 20_000, interval: 100 });

test('a change is delivered, watched, decided on and listed', async ({ rig }) => {
  const gitops = clientOf(rig);
  const started = await gitops.deliver({ ...change, subject: 'Refuse future dates' });
  expect(started).toEqual({ change: name, workflowId: deliverId(rig.platform, change), state: 'running' });

  const seen: Delivery[] = [];
  const inDev = await gitops.wait(name, { until: 'dev', onChange: (delivery) => seen.push(delivery) });
  expect(inDev.environments['dev']?.state).toBe('succeeded');
  expect(seen.length).toBeGreaterThan(1);

  await rig.sees(change, { state: 'waiting' });
  // The delivery hears of it a moment later than its environment knows it, and lists later still.
  await soon(async () =>
    expect(await gitops.deliver(change)).toMatchObject({ change: name, state: 'waiting' }),
  );
  await rig.review('staging', 'claims', 'approve');
  await rig.sees(change, { waitingFor: '2 of 2 approvals' });

  const asked = await gitops.status(name);
  expect(asked).toMatchObject({
    state: 'waiting',
    environments: { production: { manifestsDigest: 'sha256:rendered' } },
  });
  const decision = { change: name, verdict: 'approve' as const, manifestsDigest: 'sha256:rendered' };
  const first = await gitops.decide({ ...decision, by: 'board-1', reason: 'fine' });
  expect(first).toMatchObject({ by: 'board-1' });
  expect(await gitops.decide({ ...decision, by: 'board-1' })).toEqual(first);
  await expect(gitops.decide({ ...decision, by: 'board-1', verdict: 'reject' })).rejects.toMatchObject({
    kind: 'refused',
    message: 'board-1 has decided already.',
  });
  await expect(
    gitops.decide({ ...decision, by: 'board-2', manifestsDigest: 'sha256:other' }),
  ).rejects.toThrow(/have changed since/);
  const end = gitops.wait(name);
  await gitops.decide({ ...decision, by: 'board-2' });
  expect((await end).state).toBe('succeeded');

  await soon(async () => {
    const { changes, environments } = await gitops.list();
    expect(changes).toMatchObject([{ change: name, state: 'succeeded', subject: 'Refuse future dates' }]);
    expect(environments.map(({ environment, current }) => [environment, current?.change])).toEqual([
      ['dev', name],
      ['production', name],
      ['staging', name],
    ]);
  });
  await expect(gitops.retry(name)).rejects.toMatchObject({ kind: 'refused' });
  await expect(gitops.cancel(name)).rejects.toMatchObject({ kind: 'refused' });

  // What has arrived is known without a worker.
  await rig.endWorkers();
  expect(await gitops.status(name)).toEqual(await end);
});

describe('the list and the status of a change', () => {
  const older = `claims/${World.commit(8)}`;
  const newer = `claims/${World.commit(9)}`;
  const review = expect.stringContaining('a review of pull request') as string;
  const at = (which: string) => ({ service: 'claims', commit: which.split('/')[1] ?? '' });

  /** Compares them now: nothing here waits until they come to agree. */
  async function agree(rig: Rig, ...changes: string[]): Promise<void> {
    const gitops = clientOf(rig);
    const details = await Promise.all(changes.map((change) => gitops.status(change)));
    const listed = await gitops.list();
    for (const { change, state, environments } of details) {
      expect(listed.changes.find((one) => one.change === change)).toMatchObject({ change, state });
      for (const row of listed.environments.filter((one) => one.change === change)) {
        const inDetail = environments[row.environment]?.state ?? 'pending';
        // What this delivery has not come to is as an earlier one left it.
        if (inDetail !== 'pending') expect(row).toMatchObject({ state: inDetail });
      }
    }
  }

  test('agree while people are asked, and of what waits behind that', async ({ rig }) => {
    const gitops = clientOf(rig);
    await rig.deliver(at(older));
    await rig.sees(at(older), { state: 'waiting' });
    await agree(rig, older);

    await rig.review('staging', 'claims', 'approve');
    await rig.sees(at(older), { state: 'waiting', waitingFor: '2 of 2 approvals' });
    await agree(rig, older);

    await rig.deliver(at(newer));
    await rig.sees(at(newer), { waitingFor: review });
    await rig.review('staging', 'claims', 'approve');
    await rig.sees(at(newer), {
      state: 'waiting',
      waitingFor: `${older}, which is under way in production`,
    });
    await agree(rig, older, newer);
    expect((await gitops.list()).environments).toMatchObject([
      { environment: 'dev', change: newer, state: 'succeeded' },
      { environment: 'production', change: older, state: 'waiting' },
      { environment: 'staging', change: newer, state: 'succeeded' },
    ]);
  });

  test('agree the moment after it was cancelled, rejected, terminated, begun again or done', async ({
    rig,
  }) => {
    const gitops = clientOf(rig);
    await rig.deliver(at(older));
    await rig.sees(at(older), { state: 'waiting' });
    await gitops.cancel(older);
    expect(await gitops.wait(older)).toMatchObject({ state: 'failed' });
    await agree(rig, older);

    await gitops.retry(older);
    await agree(rig, older);
    await rig.sees(at(older), { state: 'waiting' });
    await agree(rig, older);
    expect((await gitops.status(older)).attempts).toMatchObject([{ state: 'failed' }]);

    await rig.temporal.client.workflow.getHandle(deliverId(rig.platform, at(older))).terminate();
    await agree(rig, older);

    await rig.deliver(at(newer));
    await rig.sees(at(newer), {
      state: 'waiting',
      waitingFor: review,
    });
    await rig.review('staging', 'claims', 'reject');
    expect(await gitops.wait(newer)).toMatchObject({ state: 'rejected' });
    await agree(rig, older, newer);

    await gitops.retry(newer);
    await rig.sees(at(newer), {
      state: 'waiting',
      waitingFor: review,
    });
    await rig.review('staging', 'claims', 'approve');
    await rig.sees(at(newer), { waitingFor: '2 of 2 approvals' });
    for (const by of ['board-1', 'board-2']) {
      await gitops.decide({ change: newer, verdict: 'approve', by, manifestsDigest: 'sha256:rendered' });
    }
    expect(await gitops.wait(newer)).toMatchObject({ state: 'succeeded' });
    await agree(rig, newer);
  });

  test('agree on what was promoted last the moment after it was', async ({ rig }) => {
    const gitops = clientOf(rig);
    await rig.deliver(at(older));
    await gitops.wait(older, { until: 'dev' });
    rig.world.observed.length = 0;
    const { environments } = await gitops.status(older, { live: true });
    expect(environments['dev']).not.toHaveProperty('live.change');
    expect(rig.world.observed).toMatchObject([{ environment: 'dev', promoted: { change: at(older) } }]);
  });
});

test('a prefix of seven digits names a change, if it is the only one', async ({ rig }) => {
  const gitops = clientOf(rig);
  const alike = [`${'a'.repeat(39)}b`, `${'a'.repeat(39)}c`];
  for (const one of alike) await gitops.deliver({ service: 'claims', commit: one });
  await gitops.deliver(change);
  await soon(async () => {
    expect((await gitops.status(`claims/${commit.slice(0, 7)}`)).change).toBe(name);
    await expect(gitops.status('claims/aaaaaaa')).rejects.toThrow(/ambiguous/);
  });
  for (const bad of ['claims/fffffff', 'other/0000000']) {
    await expect(gitops.status(bad)).rejects.toMatchObject({ kind: 'usage' });
  }
});

test('a failed delivery is started again with the image that it was given', async ({ rig }) => {
  const gitops = clientOf(rig);
  const image = `registry/claims@sha256:${'0'.repeat(64)}`;
  rig.world.tests = () => Promise.reject(failed('TestsFailed', 'expected 422'));
  await gitops.deliver({ ...change, image });
  expect(await gitops.wait(name)).toMatchObject({ state: 'failed', reason: 'expected 422' });
  rig.world.tests = () => Promise.resolve();
  expect(await gitops.retry(name)).toMatchObject({ change: name, state: 'running' });
  const waiting = await gitops.wait(name, { until: 'dev' });
  expect(waiting.image?.reference).toBe(image);
  // What it came to before is not forgotten for that.
  await soon(async () =>
    expect((await gitops.status(name)).attempts).toMatchObject([
      { state: 'failed', finishedAt: expect.any(String) },
    ]),
  );
});

test('a cancelled delivery ends; one that was terminated is shown as failed', async ({ rig }) => {
  const gitops = clientOf(rig);
  await gitops.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  await gitops.cancel(name);
  expect(await gitops.wait(name)).toMatchObject({ state: 'failed', reason: 'The delivery was cancelled.' });

  await gitops.retry(name);
  await rig.sees(change, { state: 'waiting' });
  await rig.temporal.client.workflow.getHandle(deliverId(rig.platform, change)).terminate();
  expect(await gitops.status(name)).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(/terminated/),
  });
  await soon(async () => expect((await gitops.list()).changes).toMatchObject([{ state: 'failed' }]));
});

test('what commits touched is found out by the workers, and one delivery a service starts', async ({
  rig,
}) => {
  const gitops = clientOf(rig);
  expect(await gitops.deliverChangedSince({ since: '0'.repeat(40) })).toEqual([]);
  rig.world.changes = [
    { change, subject: 'one' },
    { change: { service: 'web', commit }, subject: 'two' },
  ];
  const started = await gitops.deliverChangedSince({ since: World.commit(6) });
  expect(started.map((one) => one.change)).toEqual([name, `web/${commit}`]);
});

test('every service is delivered at one commit', async ({ rig }) => {
  const gitops = clientOf(rig);
  const asked: Selection[] = [];
  rig.world.resolving = async (selection) => void asked.push(selection);
  rig.world.changes = [{ change, subject: 'one' }];
  expect(await gitops.deliverAll()).toMatchObject([{ change: name }]);
  expect(await gitops.deliverAll({ commit })).toMatchObject([{ change: name }]);
  expect(asked).toEqual([{}, { until: commit }]);
});

test('what the workers refuse is wrong usage: no delivery is started', async ({ rig }) => {
  const gitops = clientOf(rig);
  await expect(gitops.deliver({ service: 'unknown', commit })).rejects.toMatchObject({
    kind: 'usage',
    message: 'There is no service unknown.',
  });
  rig.world.resolving = () => Promise.reject(refused(`${commit} is not on main.`));
  const attempts = [
    () => gitops.deliver(change),
    () => gitops.deliverAll({ commit }),
    () => gitops.deliverChangedSince({ since: commit }),
  ];
  for (const attempt of attempts) {
    await expect(attempt()).rejects.toMatchObject({ kind: 'usage', message: `${commit} is not on main.` });
  }
  const { workflow } = rig.temporal.client;
  for (const id of [change, { service: 'unknown', commit }].map((one) => deliverId(rig.platform, one))) {
    await expect(workflow.getHandle(id).describe()).rejects.toThrow(WorkflowNotFoundError);
  }
});

test('nothing can be done with a change that nobody ever delivered', async ({ rig }) => {
  const gitops = clientOf(rig);
  await gitops.deliver({ ...change, commit: World.commit(8) });
  await rig.sees({ ...change, commit: World.commit(8) }, { state: 'waiting' });
  const decision = { change: name, verdict: 'approve' as const, by: 'board-1' };
  const attempts = [
    () => gitops.status(name),
    () => gitops.wait(name),
    () => gitops.retry(name),
    () => gitops.cancel(name),
    () => gitops.nudge(name),
    () => gitops.decide(decision),
    () => gitops.decide({ ...decision, environment: 'production' }),
    () => gitops.decide({ ...decision, environment: 'staging' }),
  ];
  for (const attempt of attempts) {
    await expect(attempt()).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringMatching(`^Nothing is known of ${name}\\. .*gitops deliver`) as string,
    });
  }
  const deliveries = await rig.temporal.client.workflow.count(
    `GitopsPlatform = "${rig.platform}" AND WorkflowType = "deliverService"`,
  );
  expect(deliveries).toMatchObject({ count: 1 });
});

test('a step that is tried again and again says why', async ({ rig }) => {
  rig.world.tests = () => Promise.reject(new Error('The forge cannot be reached.'));
  const gitops = clientOf(rig);
  await gitops.deliver(change);
  await soon(async () => {
    const { steps } = await gitops.status(name);
    expect(steps.find((step) => step.name === 'test')).toMatchObject({
      state: 'running',
      progress: expect.stringMatching(/^tried \d+ times, and again soon: The forge cannot be reached\.$/),
    });
  });
});

test('watching ends when it is told to, and the delivery goes on', async ({ rig }) => {
  const gitops = clientOf(rig);
  await gitops.deliver(change);
  const stop = new AbortController();
  const watching = gitops.wait(name, {
    signal: stop.signal,
    onChange: ({ state }) => {
      if (state === 'waiting') stop.abort();
    },
  });
  expect((await watching).state).toBe('waiting');
  await expect(gitops.wait(name, { until: 'moon' })).rejects.toThrow('It goes to: dev, staging, production.');
});

test('bad input is refused before anything is started', async ({ rig }) => {
  const gitops = clientOf(rig);
  const services = ['../prod', 'a;id', '$(id)', 'a\0b', 'a\nb', 'a'.repeat(64), '__proto__', '', 'A'];
  const commits = ['main', commit.slice(0, 39), commit.toUpperCase(), `${commit}0`, '--upload-pack=id'];
  const refused = { kind: 'usage' };
  for (const service of services) {
    await expect(gitops.deliver({ service, commit })).rejects.toMatchObject(refused);
    await expect(gitops.status(`${service}/${commit}`)).rejects.toMatchObject(refused);
  }
  for (const one of commits) {
    await expect(gitops.deliver({ service: 'claims', commit: one })).rejects.toMatchObject(refused);
    await expect(gitops.deliverChangedSince({ since: one })).rejects.toMatchObject(refused);
    await expect(gitops.cancel(`claims/${one.slice(0, 6)}`)).rejects.toMatchObject(refused);
  }
  await expect(gitops.deliver({ ...change, image: 'registry/claims:latest' })).rejects.toMatchObject(refused);
  await expect(gitops.decide({ change: name, verdict: 'approve', by: 'a b' })).rejects.toMatchObject(refused);
  await expect(gitops.decide({ change: name, verdict: 'approve', by: 'board-1' })).rejects.toBeInstanceOf(
    GitopsError,
  );
  expect((await gitops.list()).changes).toEqual([]);
});

test('without a worker a change is started, and its status says that nobody works on it', async ({ rig }) => {
  await rig.endWorkers();
  const gitops = clientOf(rig);
  expect(await gitops.deliver(change)).toMatchObject({ state: 'running', unchecked: true });
  await expect(gitops.status(name)).rejects.toMatchObject({
    kind: 'unreachable',
    message: expect.stringMatching(/no worker of this platform runs[^]*Start one: gitops worker/i),
  });
}, 60_000);

test('who waits sits it out that a worker is away', async ({ rig }) => {
  await rig.endWorkers();
  const gitops = clientOf(rig);
  const first = startCommand(rig, ['worker']);
  await first.says('ready: ');
  await gitops.deliver(change);
  // On a busy machine the first answer takes as long as a look does.
  await vi.waitFor(() => gitops.status(name), { timeout: 60_000 });
  let seen = 0;
  const end = gitops.wait(name, { onChange: () => (seen += 1) });
  await vi.waitFor(() => expect(seen).toBeGreaterThan(0), { timeout: 20_000 });
  await first.end();

  // Longer than one look takes to be given up.
  await rig.temporal.client.workflow.getHandle(deliverId(rig.platform, change)).terminate();
  await expect(gitops.status(name)).rejects.toMatchObject({ kind: 'unreachable' });
  const second = startCommand(rig, ['worker']);
  await second.says('ready: ');
  expect(await end).toMatchObject({ state: 'failed', reason: expect.stringMatching(/terminated/) });
  await second.end();
}, 240_000);

test('a status says what runs now, beside what was promoted', async ({ rig }) => {
  const gitops = clientOf(rig);
  await gitops.deliver(change);
  await gitops.wait(name, { until: 'dev' });
  const drift = { what: 'Its pods run something else.', remedy: 'Bring it back.' };
  rig.world.live = ({ environment }) => ({
    health: 'Healthy',
    sync: 'OutOfSync',
    ...(environment === 'dev' && { drift }),
  });
  await soon(async () => {
    const { environments } = await gitops.status(name, { live: true });
    expect(environments['dev']).toMatchObject({ state: 'succeeded', live: { sync: 'OutOfSync', drift } });
    expect(environments['production']?.live).toBeUndefined();
  });
  const { environments } = await gitops.list({ live: true });
  expect(environments).toContainEqual(
    expect.objectContaining({ environment: 'dev', live: expect.objectContaining({ drift }) }),
  );
  expect(rig.world.observed).toContainEqual({
    environment: 'dev',
    service: 'claims',
    promoted: { change, revision: expect.any(String), image: expect.stringMatching(/^sha256:/) },
  });
});
