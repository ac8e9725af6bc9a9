import { execa } from 'execa';
import { expect } from 'vitest';
import { refused } from '../../src/activities/failures.ts';
import { drillId, recreationId } from '../../src/model/temporal/workflow-ids.ts';
import type { Recreation } from '../../src/model/recovery/recreation.ts';
import { bin, commandOf, environmentOf, startCommand } from '../support/cli.ts';
import { test, useTemporal } from '../support/workflow-rig.ts';

useTemporal();

const cluster = 'live';
const key = 'argocd/live/2026-01-01/020000Z-0000000000000000';
const latest = ['recreate-cluster', '--backup', 'latest'];

test('whoever waits reads the phases, and gets one document and the exit code', async ({ rig }) => {
  const gitops = commandOf(rig);
  const { stdout, stderr, exitCode } = await gitops(...latest, '--yes', '--wait', '--json', '--allow-older');
  expect(JSON.parse(stdout) as Recreation).toMatchObject({
    cluster,
    state: 'succeeded',
    plan: rig.world.plan,
  });
  expect(stderr).toMatch(/recreation of live: finish succeeded in/);
  expect(exitCode).toBe(0);
  expect(rig.world.effects[0]).toBe('check the newest, however old');

  rig.world.report.passed = false;
  const again = await gitops('recreate-cluster', '--backup', key, '--yes', '--wait');
  expect(again).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/recreation of live: failed: 45 of 45/) as string,
    // Its object store is nowhere.
    stderr: expect.stringMatching(/could not be read here[^]*recreations\/live\/1/) as string,
  });
  expect(rig.world.effects).toContain(`check ${key}`);
});

test('a drill asks nobody', async ({ rig }) => {
  const { stdout, exitCode } = await commandOf(rig)(...latest, '--drill', '--wait', '--json');
  expect({ exitCode, recreation: JSON.parse(stdout) as Recreation }).toMatchObject({
    exitCode: 0,
    recreation: { drill: true, state: 'succeeded' },
  });
});

test('nothing is started where nobody can be asked, by a wrong name, or by a wrong key', async ({ rig }) => {
  const gitops = commandOf(rig);
  expect(await gitops(...latest)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('add --yes') as string,
  });
  expect(await onTerminal('dead\n')).toMatchObject({
    exitCode: 3,
    stdout: expect.stringMatching(/rebuilds the cluster live[^]*Nothing was started/) as string,
  });
  expect(await gitops('recreate-cluster', '--backup', 'newest', '--yes')).toMatchObject({ exitCode: 2 });
  expect(rig.world.effects).toEqual([]);

  expect(await onTerminal('live\n')).toMatchObject({ exitCode: 0 });
  await rig.temporal.client.workflow.getHandle(recreationId(rig.platform, cluster)).result();
  expect(rig.world.effects.at(-1)).toBe('finish');

  /** Typed there. */
  function onTerminal(input: string) {
    const command = [process.execPath, bin, ...latest].join(' ');
    const options = { env: environmentOf(rig), input, reject: false } as const;
    return execa('script', ['--quiet', '--return', '--command', command, '/dev/null'], options);
  }
});

test('a refusal ends with 3, and says why', async ({ rig }) => {
  const { begun, fail } = rig.world.hold('deliver checkRecreation');
  const running = startCommand(rig, [...latest, '--yes', '--wait']);
  await begun;
  fail(refused('The cluster is alive.'));
  expect(await running.result()).toMatchObject({ exitCode: 3, stderr: 'gitops: The cluster is alive.' });
});

test('Ctrl-C leaves it running; the same command finds it again', async ({ rig }) => {
  const { begun, goOn } = rig.world.hold('deliver startArgoCd');
  const running = startCommand(rig, [...latest, '--yes', '--wait', '--json']);
  await begun;
  await running.says('start running');
  expect(await running.interrupt()).toMatchObject({
    exitCode: 130,
    stderr: expect.stringContaining('run the same command') as string,
  });

  const again = startCommand(rig, [...latest, '--yes', '--wait', '--json']);
  await again.says(`${recreationId(rig.platform, cluster)} is under way already`);
  goOn();
  expect(await again.result()).toMatchObject({ exitCode: 0 });
  expect(rig.world.effects.filter((effect) => effect === 'install')).toHaveLength(1);
});

test('one that is ended from outside says so', async ({ rig }) => {
  for (const { id, more } of [
    { id: recreationId(rig.platform, cluster), more: ['--yes'] },
    { id: drillId(rig.platform, cluster, 'by-hand'), more: ['--drill'] },
  ]) {
    const { begun, goOn } = rig.world.hold('deliver installArgoCd');
    const running = startCommand(rig, [...latest, '--wait', ...more]);
    await begun;
    await rig.temporal.client.workflow.getHandle(id).terminate();
    goOn();
    expect(await running.result()).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('It was terminated from outside.') as string,
    });
  }
});
