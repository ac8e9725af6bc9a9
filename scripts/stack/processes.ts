// A small supervisor: starts processes that outlive it, finds them again, keeps them up while it works, ends them.
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
import { counted } from './build-order.ts';
import { checkout, logDirectory, runDirectory } from './paths.ts';
import { say } from './progress.ts';
import { lastLines } from './run.ts';

export interface Daemon {
  name: string;
  command: readonly [string, ...string[]];
  /** Comes before each start. */
  prepare?: () => Promise<void>;
  /** The whole environment besides PATH, HOME and LANG. */
  env?: Record<string, string> | undefined;
  /** Whether it answers; asked every 50 ms. */
  ready: () => Promise<boolean>;
  /** Milliseconds until `ready` must have held. It takes seconds, and minutes while builds want the same cores. */
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

/** Starts of each process by this command. */
const starts = new Map<string, number>();
/** What ends that often while the stack comes up does so for a reason that the next start would not take away. */
const mostStarts = 4;

/**
 * Start a process unless it runs, and wait until it is ready. One that ends before is started again. Returns whether it
 * was started.
 *
 * @throws Error with its last log lines, when it stays down or does not become ready
 */
export const ensure = (daemon: Daemon): Promise<boolean> => counted(untilItRuns(daemon));

async function untilItRuns(daemon: Daemon): Promise<boolean> {
  let started = false;
  for (;;) {
    const running = pidOf(daemon.name);
    const pid = running ?? (await start(daemon));
    started ||= running === undefined;
    if (await becomesReady(daemon, pid)) break;
  }
  kept.set(daemon.name, daemon);
  return started;
}

/** Its pid; one that ended at once has none that is alive. */
async function start(daemon: Daemon): Promise<number> {
  const { name } = daemon;
  const before = starts.get(name) ?? 0;
  if (before === mostStarts) throw failure(name, `was started ${mostStarts} times, and ended each time`);
  starts.set(name, before + 1);
  if (before > 0) {
    say(`${name} ended: starting it again (${before} of ${mostStarts - 1}); its log is ${logFile(name)}`);
    await sleep(before * 1000);
  }
  await daemon.prepare?.();
  const child = launch(daemon);
  if (child.pid === undefined) throw new Error(`${name}: ${daemon.command[0]} cannot be executed`);
  const pid = daemon.forks ? await onlyChild(child.pid, name) : child.pid;
  writeFileSync(pidFile(name), `${pid}\n`);
  return pid;
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

async function onlyChild(parent: number, name: string): Promise<number> {
  while (!hasEnded(parent, name)) {
    const [child] = readText(`/proc/${parent}/task/${parent}/children`).split(' ');
    if (child) return Number(child);
    await sleep(10);
  }
  return parent;
}

/** Whether it was ready before it ended. */
async function becomesReady(daemon: Daemon, pid: number): Promise<boolean> {
  const milliseconds = daemon.deadline ?? 180_000;
  const deadline = Date.now() + milliseconds;
  while (!(await daemon.ready())) {
    if (hasEnded(pid, daemon.name)) return false;
    if (Date.now() > deadline) throw failure(daemon.name, `is not ready after ${milliseconds / 1000} s`);
    await sleep(50);
  }
  return !hasEnded(pid, daemon.name);
}

/** What was ready once during this command, and should still be there at its end. */
const kept = new Map<string, Daemon>();

/**
 * Does the work, and meanwhile starts again what ends of all that `ensure` has seen ready; in the end all of it runs.
 *
 * @throws Error as soon as one of them stays down
 */
export async function keepingUp<T>(work: Promise<T>): Promise<T> {
  const broken = Promise.withResolvers<never>();
  const restarts = new Map<string, Promise<unknown>>();
  const look = () => {
    for (const [name, daemon] of kept) {
      if (restarts.has(name) || pidOf(name) !== undefined) continue;
      restarts.set(
        name,
        ensure(daemon).then(() => restarts.delete(name), broken.reject),
      );
    }
  };
  const looking = setInterval(look, 200);
  try {
    const result = await Promise.race([work, broken.promise]);
    look();
    await Promise.race([Promise.all(restarts.values()), broken.promise]);
    return result;
  } finally {
    clearInterval(looking);
  }
}

/** Names the process, and lets its log tell the rest. */
export function failure(name: string, what: string): Error {
  return new Error(`${name} ${what}. Its log, ${logFile(name)}, ends:\n${lastLines(logOf(name))}`);
}

/** The pid of this checkout's process of that name, when it is alive. */
export function pidOf(name: string): number | undefined {
  const pid = Number(readText(pidFile(name)));
  if (pid > 0 && isOurs(pid, name)) return pid;
  return undefined;
}

/** End a process: SIGTERM, after `grace` milliseconds SIGKILL. Nothing happens when it does not run. */
export async function end(name: string, grace = 10_000): Promise<void> {
  kept.delete(name);
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

/** One that was just started is nobody's for a moment, while its program takes the place of the one that started it. */
function hasEnded(pid: number, name: string): boolean {
  if (readText(`/proc/${pid}/environ`) !== '') return !isOurs(pid, name);
  return !existsSync(`/proc/${pid}`) || isZombie(pid);
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
