// A small supervisor: starts processes that outlive it, finds them again, ends them.
//
// Every process carries the checkout and its own name in its environment. That, and not a pid file alone,
// tells whose it is: pids are reused, files outlive a crash, checkouts get deleted.
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkout, logDirectory, runDirectory } from './paths.ts';
import { lastLines } from './run.ts';

export interface Daemon {
  name: string;
  command: readonly [string, ...string[]];
  /** The whole environment besides PATH, HOME and LANG. */
  env?: Record<string, string> | undefined;
  /** Whether it answers; asked every 50 ms. */
  ready: () => Promise<boolean>;
  /** Milliseconds until `ready` must have held; a minute unless told. */
  deadline?: number;
  /** The command forks, and its only child is the process that counts (unshare, nsenter). */
  forks?: boolean;
}

export interface StackProcess {
  pid: number;
  checkout: string;
  name: string;
}

const maxLogBytes = 20 * 2 ** 20;

/** Start a process unless it runs, and wait until it is ready. Returns whether it was started. */
export async function ensure(daemon: Daemon): Promise<boolean> {
  const running = pidOf(daemon.name);
  if (running !== undefined) {
    await untilReady(daemon, () => isOurs(running, daemon.name));
    return false;
  }
  const child = launch(daemon);
  let pid = child.pid;
  if (pid === undefined) throw new Error(`${daemon.name}: ${daemon.command[0]} cannot be executed`);
  let exited = false;
  child.once('exit', () => (exited = true));
  if (daemon.forks) pid = await onlyChild(pid, () => !exited);
  if (pid === undefined) throw failure(daemon.name, 'ended at once');
  writeFileSync(pidFile(daemon.name), `${pid}\n`);
  await untilReady(daemon, () => !exited);
  return true;
}

function launch(daemon: Daemon) {
  for (const directory of [runDirectory, logDirectory]) mkdirSync(directory, { recursive: true });
  const file = logFile(daemon.name);
  if (existsSync(file) && statSync(file).size > maxLogBytes) renameSync(file, `${file}.old`);
  const log = openSync(file, 'a', 0o600);
  const [program, ...args] = daemon.command;
  const child = spawn(program, args, {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      // Some shells leave out the folders of ip, nft and runc.
      PATH: `${process.env['PATH']}:/usr/local/sbin:/usr/sbin:/sbin`,
      HOME: process.env['HOME'],
      LANG: 'C.UTF-8',
      ...daemon.env,
      GITOPS_STACK: checkout,
      GITOPS_STACK_PROCESS: daemon.name,
    },
  });
  child.once('error', () => undefined); // told by the missing pid
  child.unref();
  closeSync(log);
  return child;
}

async function onlyChild(parent: number, alive: () => boolean): Promise<number | undefined> {
  while (alive()) {
    const [child] = readText(`/proc/${parent}/task/${parent}/children`).split(' ');
    if (child) return Number(child);
    await sleep(10);
  }
  return undefined;
}

async function untilReady(daemon: Daemon, alive: () => boolean): Promise<void> {
  const milliseconds = daemon.deadline ?? 60_000;
  const deadline = Date.now() + milliseconds;
  while (!(await daemon.ready())) {
    if (!alive()) throw failure(daemon.name, 'ended before it was ready');
    if (Date.now() > deadline) throw failure(daemon.name, `is not ready after ${milliseconds / 1000} s`);
    await sleep(50);
  }
}

function failure(name: string, what: string): Error {
  return new Error(
    `${name} ${what}. Its log, ${logFile(name)}, ends:\n${lastLines(readText(logFile(name)))}`,
  );
}

/** The pid of this checkout's process of that name, when it is alive. */
export function pidOf(name: string): number | undefined {
  const pid = Number(readText(pidFile(name)));
  if (pid > 0 && isOurs(pid, name)) return pid;
  return undefined;
}

/** End a process: SIGTERM, after `grace` milliseconds SIGKILL. Nothing happens when it does not run. */
export async function end(name: string, grace = 10_000): Promise<void> {
  const pid = pidOf(name);
  if (pid !== undefined) await endPids([pid], grace);
  rmSync(pidFile(name), { force: true });
}

export async function endPids(pids: readonly number[], grace: number): Promise<void> {
  const alive = () => pids.filter((pid) => signal(pid, 0) && !isZombie(pid));
  for (const pid of pids) signal(pid, 'SIGTERM');
  for (const deadline = Date.now() + grace; alive().length > 0 && Date.now() < deadline;) await sleep(20);
  for (const pid of alive()) signal(pid, 'SIGKILL');
  // The kernel needs a moment to tear down a killed process; one that is stuck in it is not waited for.
  for (const deadline = Date.now() + 5_000; alive().length > 0 && Date.now() < deadline;) await sleep(20);
}

/** Every live process that a stack of any checkout on this machine started, their descendants included. */
export function stackProcesses(): StackProcess[] {
  const found: StackProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!(pid > 0) || pid === process.pid || isZombie(pid)) continue;
    const environment = environmentOf(pid);
    const owner = environment.get('GITOPS_STACK');
    if (owner !== undefined)
      found.push({ pid, checkout: owner, name: environment.get('GITOPS_STACK_PROCESS') ?? '' });
  }
  return found;
}

function isOurs(pid: number, name: string): boolean {
  const environment = environmentOf(pid);
  const ours =
    environment.get('GITOPS_STACK') === checkout && environment.get('GITOPS_STACK_PROCESS') === name;
  return ours && !isZombie(pid);
}

function environmentOf(pid: number): Map<string, string> {
  const entries = readText(`/proc/${pid}/environ`).split('\0');
  return new Map(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

function isZombie(pid: number): boolean {
  return /^State:\tZ/m.test(readText(`/proc/${pid}/status`));
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false; // it ended
  }
}

/** A file that may vanish at any moment, as those of /proc do. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** All that a process of that name has written. */
export const logOf = (name: string): string => readText(logFile(name));

const pidFile = (name: string): string => join(runDirectory, `${name}.pid`);
const logFile = (name: string): string => join(logDirectory, `${name}.log`);
