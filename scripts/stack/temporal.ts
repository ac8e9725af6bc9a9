// Temporal: the development server with its interface, its store in a file.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { make } from './artifacts.ts';
import { wheelPath, wheels } from './binaries.ts';
import { ports, state } from './paths.ts';
import { ensure } from './processes.ts';
import { run, succeeds } from './run.ts';

export const temporalAddress = `127.0.0.1:${ports.temporal}`;
export const temporalNamespace = 'default';

/** Closed deliveries stay readable for as long as a quarter's audit asks; the server's default is a day. */
const retention = '90d';

export async function startTemporal(): Promise<void> {
  await make(wheels);
  const directory = join(state, 'temporal');
  mkdirSync(directory, { recursive: true });
  const program = wheelPath('temporal');
  const to = ['--address', temporalAddress, '--command-timeout', '10s'];
  const started = await ensure({
    name: 'temporal',
    command: [
      program,
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--log-level', 'warn'],
      ...['--port', String(ports.temporal), '--ui-port', String(ports.temporalUi)],
      ...['--db-filename', join(directory, 'temporal.db')],
      // An activity hears at once that it is cancelled, and not by its next heartbeat.
      ...['--dynamic-config-value', 'frontend.WorkerCommandsEnabled=true'],
      ...['--dynamic-config-value', 'system.enableCancelActivityWorkerCommand=true'],
      // Services take turns.
      ...['--dynamic-config-value', 'matching.enableFairness=true'],
    ],
    ready: () => succeeds(program, ['operator', 'namespace', 'describe', '-n', temporalNamespace, ...to]),
  });
  if (started) {
    await run(program, [
      'operator',
      'namespace',
      'update',
      '-n',
      temporalNamespace,
      '--retention',
      retention,
      ...to,
    ]);
  }
}
