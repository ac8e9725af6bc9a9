import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { logDirectory } from './paths.ts';
import { end, ensure, keepingUp, pidOf, type Daemon } from './processes.ts';

let folder: string;
const names: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'processes-'));
});

afterEach(async () => {
  for (const name of names.splice(0)) {
    await end(name);
    rmSync(join(logDirectory, `${name}.log`), { force: true });
  }
  rmSync(folder, { recursive: true });
});

/** A process that counts its starts in a file, and is ready once it has unless told. */
function daemon(script: string, ready: Daemon['ready'] = untilWritten('starts')): Daemon {
  const name = `${folder.split('/').at(-1)}-${names.length}`;
  names.push(name);
  const count = `echo started >> ${startsFile()}; n=$(wc -l < ${startsFile()});`;
  return { name, command: ['sh', '-c', `${count} ${script}`], ready };
}

const startsFile = (): string => join(folder, 'starts');
const starts = (): number => readFileSync(startsFile(), 'utf8').split('\n').length - 1;
const untilWritten = (file: string) => async () => {
  try {
    return readFileSync(join(folder, file), 'utf8') !== '';
  } catch {
    return false;
  }
};

/** While a program takes the place of the shell that began it, it is nobody's; and the pid 0 is that of these tests themselves. */
const pidOnce = (name: string): Promise<number> =>
  vi.waitFor(() => pidOf(name) ?? expect.fail(`${name} does not run.`));

test('a process that ends before it is ready is started again', async () => {
  const ready = untilWritten('ready');
  const slow = daemon(`[ $n -lt 2 ] && exit 1; echo > ${folder}/ready; exec sleep 60`, ready);
  expect(await ensure(slow)).toBe(true);
  expect(starts()).toBe(2);
  expect(pidOf(slow.name)).toBeGreaterThan(0);
});

test('a process that ends while others are waited for is started again at once, and once', async () => {
  const stable = daemon('exec sleep 60');
  await keepingUp(
    (async () => {
      await ensure(stable);
      const first = await pidOnce(stable.name);
      process.kill(first, 'SIGKILL');
      await expect.poll(() => pidOf(stable.name)).not.toBe(first);
      await expect.poll(() => pidOf(stable.name)).toBeGreaterThan(0);
    })(),
  );
  // It has its pid a moment before it counts.
  await expect.poll(starts).toBe(2);
});

test('what ended just before the work did is up when that is told', async () => {
  const stable = daemon('exec sleep 60');
  await keepingUp(
    ensure(stable).then(async () => {
      process.kill(await pidOnce(stable.name), 'SIGKILL');
      while (pidOf(stable.name) !== undefined); // nobody can look before the work is done
    }),
  );
  expect(pidOf(stable.name)).toBeGreaterThan(0);
});

test('one that stays down ends the wait for others, named, with its last words', async () => {
  const ready = untilWritten('ready');
  const dying = daemon(
    `[ $n -gt 1 ] && { echo "start $n: the address has changed"; exit 1; }; echo > ${folder}/ready; sleep 1`,
    async () => (await ready()) && pidOf(dying.name) !== undefined,
  );
  const never = new AbortController();
  const work = ensure(dying).then(() => sleep(60_000, undefined, { signal: never.signal }));
  work.catch(() => undefined); // it is not awaited any more when it is given up
  await expect(keepingUp(work)).rejects.toThrow(
    new RegExp(
      `^${dying.name} was started 4 times, and ended each time.*start 4: the address has changed`,
      's',
    ),
  );
  never.abort();
  expect(starts()).toBe(4);
});

test('one that runs but does not become ready is named, with its last words', async () => {
  const mute = { ...daemon('echo looking for its peers; exec sleep 60', async () => false), deadline: 200 };
  await expect(ensure(mute)).rejects.toThrow(/is not ready after 0.2 s.*looking for its peers/s);
});
