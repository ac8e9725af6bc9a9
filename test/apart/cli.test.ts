import { expect } from 'vitest';
import { failed } from '../../src/activities/failures.ts';
import { deliverId } from '../../src/model/temporal/workflow-ids.ts';
import { commandOf } from '../support/cli.ts';
import { test, useTemporal } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

const commit = World.commit(7);
const change = { service: 'claims', commit };
const name = `claims/${commit}`;

test('CI delivers and waits for dev; people approve; everybody sees it', async ({ rig }) => {
  const gitops = commandOf(rig);
  const ci = await gitops('deliver', '--service', 'claims', '--commit', commit, '--wait=dev', '--json');
  expect(JSON.parse(ci.stdout)).toMatchObject({
    changes: [{ change: name, workflowId: deliverId(rig.platform, change) }],
  });
  expect(ci.stderr).toMatch(/claims\/00000007aa dev succeeded in/);
  expect(ci.exitCode).toBe(0);

  await rig.sees(change, { state: 'waiting' });
  const early = await gitops('approve', name, '--as', 'board-1');
  expect(early).toMatchObject({
    exitCode: 3,
    stderr: expect.stringMatching(/waits for no decision: it waits for a review/),
  });
  await rig.review('staging', 'claims', 'approve');
  await rig.sees(change, { waitingFor: '2 of 2 approvals' });

  const status = await gitops('status', name, '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({
    change: name,
    service: 'claims',
    commit,
    state: 'waiting',
    waitingFor: '2 of 2 approvals',
    environments: { production: { state: 'waiting', manifestsDigest: 'sha256:rendered' } },
  });
  const picture = await gitops('status', name);
  expect(picture.stdout).toMatch(/⏸ production +\S+ s {2}waiting for 2 of 2 approvals/);
  expect(picture.stdout).toMatch(/gitops approve claims\/00000007aa --environment production/);

  const approved = await gitops(
    'approve',
    'claims/00000007',
    '--as',
    'board-1',
    '--reason',
    'fine',
    '--json',
  );
  expect(JSON.parse(approved.stdout)).toMatchObject({
    change: name,
    environment: 'production',
    decision: { verdict: 'approve', by: 'board-1', reason: 'fine', manifestsDigest: 'sha256:rendered' },
  });
  expect(approved.stderr).toMatch(/Manifests +sha256:rendered/);
  // Whoever tries again, since the answer was lost, is told the same once more.
  expect((await gitops('approve', name, '--as', 'board-1')).stdout).toBe(
    'board-1 approved claims/00000007aa for production.',
  );
  const otherwise = await gitops('reject', name, '--as', 'board-1');
  expect(otherwise).toMatchObject({
    exitCode: 3,
    stderr: expect.stringMatching(/^gitops: board-1 has decided already\.$/m),
  });
  expect((await gitops('approve', name, '--as', 'board-2')).stdout).toBe(
    'board-2 approved claims/00000007aa for production.',
  );

  const end = await gitops('status', name, '--watch');
  expect(end.stdout.split('\n').at(-1)).toMatch(/claims\/00000007aa succeeded$/);
  expect(end.exitCode).toBe(0);
  expect((await gitops('status', '--all')).stdout).toMatch(/claims\/00000007aa +✔ succeeded/);
  const list = await gitops('status', '--environment', 'dev', '--json');
  expect(JSON.parse(list.stdout)).toMatchObject({
    changes: [{ change: name, state: 'succeeded' }],
    environments: [{ environment: 'dev', service: 'claims', current: { change: name } }],
  });
});

test('a failed delivery ends with 1 and what a person looks for, and can be tried again', async ({ rig }) => {
  const gitops = commandOf(rig);
  rig.world.tests = () => Promise.reject(failed('TestsFailed', 'test_eligibility: expected 422'));
  const ci = await gitops('deliver', '--service', 'claims', '--commit', commit, '--wait');
  expect(ci.exitCode).toBe(1);
  expect(ci.stdout).toMatch(/test failed in \S+ s: test_eligibility: expected 422/);

  rig.world.tests = () => Promise.resolve();
  expect(await gitops('retry', name)).toMatchObject({ exitCode: 0, stdout: `${name} running` });
  await rig.sees(change, { state: 'waiting' });
  expect(await gitops('cancel', name)).toMatchObject({ exitCode: 0 });
  expect((await gitops('status', name, '--watch')).exitCode).toBe(1);
  expect(await gitops('cancel', name)).toMatchObject({ exitCode: 3 });
});

test('logs that cannot be read end with 4, and a step that is none with 2', async ({ rig }) => {
  await rig.deliver(change);
  await rig.sees(change, { state: 'waiting' });
  const gitops = commandOf(rig);
  const [away, none] = await Promise.all([gitops('logs', name), gitops('logs', name, '--step', 'tests')]);
  expect(away.stderr).toMatch(/^gitops: The logs cannot be read: the object store \(bucket state at /);
  expect(away.exitCode).toBe(4);
  expect(none.stderr).toMatch(/has no step tests\. It has: verify, test, build, dev, staging, production\.$/);
  expect(none.exitCode).toBe(2);
});

test('a rejected change ends with 3', async ({ rig }) => {
  const gitops = commandOf(rig);
  const waiting = gitops('deliver', '--service', 'claims', '--commit', commit, '--wait');
  await rig.sees(change, { state: 'waiting' });
  await rig.review('staging', 'claims', 'reject');
  expect((await waiting).exitCode).toBe(3);
});

test('what has changed is delivered, or all there is, and nothing is no error', async ({ rig }) => {
  const gitops = commandOf(rig);
  const nothing = await gitops('deliver', '--changed-since', '0'.repeat(40), '--json');
  expect(nothing).toMatchObject({ exitCode: 0, stdout: JSON.stringify({ changes: [] }, null, 2) });
  rig.world.changes = [{ change, subject: 'one' }];
  for (const args of [['--changed-since', World.commit(6)], ['--all'], ['--all', '--commit', commit]]) {
    const some = await gitops('deliver', ...args);
    expect(some.exitCode).toBe(0);
    expect(some.stdout).toMatch(new RegExp(`^${name} (running|waiting)$`));
  }
});

test('wrong usage ends with 2 and says what is right', async ({ rig }) => {
  const gitops = commandOf(rig);
  const wrong: [string[], RegExp][] = [
    [['delivr'], /Did you mean deliver/],
    [['deliver'], /--service with --commit, or --changed-since, or --all/],
    [['deliver', '--all', '--service', 'claims'], /--all takes every service/],
    [['deliver', '--all', '--changed-since', commit], /leave out the other options/],
    [['deliver', '--service', 'unknown', '--commit', commit], /^gitops: There is no service unknown\.$/m],
    [['deliver', '--service', '../prod', '--commit', commit], /service: a name has/],
    [['deliver', '--service', 'claims', '--commit', 'main'], /commit: a commit is its full hash/],
    [['deliver', '--service', 'claims', '--commit', commit, '--wait=moon'], /There is no environment moon/],
    [['deliver', '--servce', 'claims'], /Did you mean --service/],
    [['status', 'claims'], /names no change/],
    [['approve'], /missing required argument/],
    [['approve', name], /--as NAME, or GITOPS_USER/],
    [['worker', '--queues', 'build,moon'], /There is no queue "moon"/],
    [['status', '--config', '/nowhere.yaml'], /nowhere\.yaml/],
  ];
  for (const [args, message] of wrong) {
    const { exitCode, stdout, stderr } = await gitops(...args);
    expect({ args, exitCode, stdout }).toEqual({ args, exitCode: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
  }
});

test('colours are for terminals: a pipe gets none', async ({ rig }) => {
  const gitops = commandOf(rig, { NO_COLOR: '', TERM: 'xterm-256color', COLORTERM: 'truecolor' });
  await rig.deliver(change);
  const { stdout } = await gitops('status', name);
  expect(stdout).toContain('production');
  expect(stdout).not.toContain('\u001B');
});

test('without the object store what Temporal does not have is not found, and that ends with 4', async ({
  rig,
}) => {
  const { exitCode, stderr } = await commandOf(rig)('status', 'claims/fffffff');
  expect(exitCode).toBe(4);
  expect(stderr).toMatch(/^gitops: Temporal does not have it, and the object store .* answered/);
});

test('without Temporal a command ends with 4, in words and in JSON', async ({ rig }) => {
  const gitops = commandOf(rig, { TEMPORAL_ADDRESS: '127.0.0.1:9' });
  const { exitCode, stdout, stderr } = await gitops('status', '--json');
  expect(exitCode).toBe(4);
  expect(JSON.parse(stdout)).toMatchObject({ error: { kind: 'unreachable' } });
  expect(stderr).toMatch(/Temporal cannot be reached at 127\.0\.0\.1:9/);
});
