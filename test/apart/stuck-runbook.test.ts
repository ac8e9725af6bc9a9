import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, vi } from 'vitest';
import { createClient, type Problem } from '../../src/client.ts';
import { pullRequestChanged } from '../../src/model/temporal/messages.ts';
import { deliverId, environmentId } from '../../src/model/temporal/workflow-ids.ts';
import { bundle } from '../../src/worker/bundle.ts';
import { bin, commandOf, environmentOf } from '../support/cli.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';

useTemporal();

const change = { service: 'claims', commit: World.commit(7) };
const name = `claims/${change.commit}`;
const runbook = 'docs/runbooks/delivery-stuck.md';

/** Sections of the page with their commands. */
const [[names = ''] = [], ...sections] = readFileSync(new URL(`../../${runbook}`, import.meta.url), 'utf8')
  .split(/^## /m)
  .map((section) =>
    [...section.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, code = '']) => code.trim().split('\n')),
  );

/** Runs the commands of a section, each with what a person would have put into the variables. */
async function follow(rig: Rig, section: number): Promise<string> {
  const workflow = environmentId(rig.platform, 'staging', 'claims');
  const env = { ...environmentOf(rig), platform: rig.platform, workflow, change: name };
  const commands = sections[section - 1] ?? [];
  expect(commands.length).toBeGreaterThan(0);
  let said = '';
  for (const line of commands) {
    const shell = ['-c', `gitops() { "${process.execPath}" "${bin}" "$@"; }; ${names}; ${line}`];
    const { exitCode, all } = await execa('bash', shell, { env, all: true, reject: false, timeout: 60_000 });
    if (exitCode !== 0) throw new Error(`${line}: ${exitCode}\n${all}`);
    said += `${all}\n`;
  }
  return said.replaceAll(/\s+/g, ' ');
}

const clientOf = (rig: Rig) => createClient(rig.temporal.client, rig.platform);

const problemsOf = async (rig: Rig): Promise<Problem[]> => (await clientOf(rig).list()).problems;

/** It is told by and by; Temporal marks a workflow after its second failure here. */
const soon = { timeout: 60_000, interval: 500 };

test('an environment whose code cannot go on is told, and goes on once the workers are mended', async ({
  rig,
}) => {
  await clientOf(rig).deliver(change);
  await rig.sees(change, { state: 'waiting' });
  await rig.endWorkers();
  await rig.startWorkers(await bundle(fileURLToPath(import.meta.resolve('../support/broken-workflows.ts'))));
  await rig.environment('staging', 'claims').signal(pullRequestChanged, { number: 1 });

  const workflowId = environmentId(rig.platform, 'staging', 'claims');
  const told = {
    kind: 'failing-workflow',
    workflowId,
    since: expect.stringMatching(/^\d{4}-/) as string,
    message: `The code of ${workflowId} cannot go on. Start workers with code that can: then it goes on where it was. It says: Cannot read properties of undefined (reading 'waiting')`,
    runbook,
  };
  await rig.sees(change, { problems: [told] as Problem[] });
  await vi.waitFor(async () => expect(await problemsOf(rig)).toContainEqual(told), soon);
  expect(await follow(rig, 1)).toContain('It says: Cannot read properties of undefined');
  expect(await follow(rig, 2)).toContain("reading 'waiting'");
  await vi.waitFor(async () => {
    const { stdout } = await commandOf(rig)('doctor', '--json');
    expect((JSON.parse(stdout) as { checks: object[] }).checks).toContainEqual({
      name: 'workflows',
      state: 'failed',
      detail: expect.stringContaining('cannot go on') as string,
      remedy: `Follow ${runbook}.`,
    });
  }, soon);

  await rig.endWorkers();
  await rig.startWorkers();
  await vi.waitFor(async () => expect(await problemsOf(rig)).toEqual([]), soon);
  await follow(rig, 5);
  await rig.review('staging', 'claims', 'approve');
  await rig.sees(change, { waitingFor: '2 of 2 approvals' });
}, 240_000);

test('a delivery that nobody answers is told, and who follows the runbook gets it going', async ({ rig }) => {
  await clientOf(rig).deliver(change);
  await rig.sees(change, { state: 'waiting' });
  expect(await problemsOf(rig)).toEqual([]);
  await rig.environment('staging', 'claims').terminate();
  const told = {
    kind: 'no-answer',
    workflowId: deliverId(rig.platform, change),
    since: expect.stringMatching(/^\d{4}-/) as string,
    message: `${name} waits for staging, whose workflow was terminated. Have it ask again: gitops nudge ${name}`,
    runbook,
  };
  await rig.sees(change, { problems: [told] as Problem[] });
  await vi.waitFor(async () => expect(await problemsOf(rig)).toEqual([told]), soon);
  const said = await follow(rig, 4);
  expect(said).toContain(`gitops nudge ${name}`);
  expect(said).toContain(`${name} asks staging again.`);
  await vi.waitFor(async () => expect(await problemsOf(rig)).toEqual([]), soon);
  await follow(rig, 5);
  await rig.review('staging', 'claims', 'approve');
  await rig.sees(change, { waitingFor: '2 of 2 approvals' });
}, 180_000);

test('a queue that nobody serves is told, with what to start', async ({ rig }) => {
  await clientOf(rig).deliver(change);
  await rig.sees(change, { state: 'waiting' });
  await rig.endWorkers();
  await vi.waitFor(
    async () =>
      expect((await problemsOf(rig)).map(({ kind, queue }) => [kind, queue])).toEqual(
        ['build', 'delivery', 'production', 'wait'].map((queue) => ['no-worker', `${rig.platform}/${queue}`]),
      ),
    soon,
  );
  const said = await follow(rig, 1);
  expect(said).toContain(`Nobody serves ${rig.platform}/build. Start a worker: gitops worker --queues build`);
  await follow(rig, 3);
}, 180_000);
