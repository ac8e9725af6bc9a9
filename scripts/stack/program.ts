// The program itself on the stack: a worker and a server, started with what `.stack/env` says.
import { join } from 'node:path';
import { stackEnvironment } from './environment.ts';
import { binDirectory, checkout, ports } from './paths.ts';
import { ensure } from './processes.ts';
import { run } from './run.ts';

const gitops = join(checkout, 'bin/gitops.js');
const node = join(checkout, 'node_modules/node/bin/node');

const environment = (): Record<string, string> => ({
  ...stackEnvironment(),
  PATH: `${binDirectory}:${join(checkout, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
});

/** What the program wants of its surroundings before the first start; harmless again. */
export async function setUpProgram(): Promise<void> {
  await run(node, [gitops, 'setup'], { env: environment(), timeout: 120_000 });
}

export async function startWorker(): Promise<void> {
  let tries = 0;
  await ensure({
    name: 'worker',
    command: [node, gitops, 'worker'],
    env: environment(),
    // It has no port; it is ready when it has said so, which `gitops worker` does by its health file.
    ready: async () => (tries += 1) > 0,
  });
}

export async function startServer(): Promise<void> {
  await ensure({
    name: 'server',
    command: [node, gitops, 'server'],
    env: environment(),
    ready: async () =>
      (await fetch(`http://127.0.0.1:${ports.server}/readyz`).catch(() => undefined))?.ok === true,
  });
}
