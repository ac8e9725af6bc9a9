// The program itself on the stack: a worker and a server, started with what `.stack/env` says.
import { join } from 'node:path';
import { answersOk } from './answers.ts';
import { stackEnvironment } from './environment.ts';
import { binDirectory, checkout, ports } from './paths.ts';
import { ensure, logOf } from './processes.ts';
import { run } from './run.ts';

const gitops = join(checkout, 'bin/gitops.js');

const environment = (): Record<string, string> => ({
  ...stackEnvironment(),
  PATH: `${binDirectory}:${join(checkout, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
});

/** What the program wants of its surroundings before the first start; harmless again. */
export async function setUpProgram(): Promise<void> {
  await run(gitops, ['setup'], { env: environment(), timeout: 120_000 });
}

/** It has no port: it is ready when it says so. */
export async function startWorker(): Promise<void> {
  let before = 0;
  await ensure({
    name: 'worker',
    prepare: async () => void (before = logOf('worker').length),
    command: [gitops, 'worker'],
    env: environment(),
    ready: async () => logOf('worker').slice(before).includes('ready:'),
  });
}

export async function startServer(): Promise<void> {
  await ensure({
    name: 'server',
    command: [gitops, 'server'],
    env: environment(),
    ready: () => answersOk(`http://127.0.0.1:${ports.server}/readyz`),
  });
}
