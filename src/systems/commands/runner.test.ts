import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCommandRunner } from './runner.ts';

let cwd: string;
let output: string;
const runner = createCommandRunner();

beforeEach(async () => {
  output = '';
  cwd = await mkdtemp(join(tmpdir(), 'commands-'));
  await chmod(cwd, 0o777);
});
afterEach(() => rm(cwd, { recursive: true }));

const run = (script: string, more: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
  runner.run({
    command: ['sh', '-c', script],
    cwd,
    env: { GREETING: 'hello' },
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    onOutput: (text) => (output += text),
    ...more,
  });

test('a command gets the environment it was given and nothing of ours', async () => {
  process.env['SECRET_OF_THE_WORKER'] = 'x';
  expect(await run('env')).toEqual({ state: 'ended', exitCode: 0 });
  expect(output).toContain('GREETING=hello');
  expect(output).not.toContain('SECRET_OF_THE_WORKER');
});

test('its exit code and both outputs come back', async () => {
  expect(await run('echo out; echo err >&2; exit 7')).toEqual({ state: 'ended', exitCode: 7 });
  expect(output).toContain('out');
  expect(output).toContain('err');
});

test('it runs as nobody and sees no other process', async () => {
  await run(`id -u; ls /proc | grep -c '^[0-9]'; cat /proc/${process.pid}/environ`);
  const [uid, processes] = output.split('\n');
  expect(uid).toBe('65534');
  expect(Number(processes)).toBeLessThan(10);
  expect(output).toMatch(/No such file/);
});

test('a command that takes too long is ended, with all that it started', async () => {
  const result = await run('(while true; do date +%s%N > beat; sleep 0.05; done) & sleep 60', {
    timeoutMs: 500,
  });
  expect(result).toEqual({ state: 'timed-out' });
  const before = await readFile(join(cwd, 'beat'), 'utf8');
  await delay(300);
  expect(await readFile(join(cwd, 'beat'), 'utf8')).toBe(before);
});

test('a command whose worker is killed ends with it', async () => {
  const module = fileURLToPath(new URL('runner.ts', import.meta.url));
  const command = ['sh', '-c', 'while true; do date +%s%N > beat; sleep 0.05; done'];
  const worker = spawn(process.execPath, [
    ...['--input-type=module', '--eval'],
    `import { createCommandRunner } from ${JSON.stringify(module)};
     const { signal } = new AbortController();
     await createCommandRunner().run({ command: ${JSON.stringify(command)}, cwd: ${JSON.stringify(cwd)}, env: {},
       timeoutMs: 60_000, signal, onOutput: () => {} });`,
  ]);
  const beat = () => readFile(join(cwd, 'beat'), 'utf8').catch(() => '');
  await expect.poll(beat).not.toBe('');

  worker.kill('SIGKILL');
  await once(worker, 'exit');

  await vi.waitFor(async () => {
    const before = await beat();
    await delay(300);
    expect(await beat()).toBe(before);
  }, 20_000);
});

test('a cancelled command is ended', async () => {
  const controller = new AbortController();
  const running = run('echo begun; sleep 60', { signal: controller.signal });
  await expect.poll(() => output).toContain('begun');
  controller.abort(new Error('cancelled'));
  await expect(running).rejects.toThrow('cancelled');
});

test('a command that is not there says so', async () => {
  const result = await runner.run({
    command: ['./none.sh'],
    cwd,
    env: {},
    timeoutMs: 5000,
    signal: new AbortController().signal,
    onOutput: (text) => (output += text),
  });
  expect(result).not.toEqual({ state: 'ended', exitCode: 0 });
  expect(output).toMatch(/none\.sh/);
});
