// The worker of a crowd, as a process of its own so that what it takes can be measured: node worker.ts CROWD, as JSON.
import { DefaultLogger } from '@temporalio/worker';
import { loadConfig } from '../../src/config/load.ts';
import { runWorker } from '../../src/worker.ts';
import type { Crowd } from './parameters.ts';
import { simulating } from './systems.ts';

/** What the process took since it began. */
export interface Usage {
  cpuSeconds: number;
  /** Megabytes. */
  peakMemory: number;
  /** So many activities wait for Argo CD. */
  waits: number;
}

let waits = () => 0;

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const peakMemory = process.resourceUsage().maxRSS / 1024;
  return { cpuSeconds: (user + system) / 1e6, peakMemory, waits: waits() };
}

const crowd = JSON.parse(process.argv[2] ?? '') as Crowd;
process.on('message', () => process.send?.(usage()));
await runWorker({
  config: loadConfig(process.env['GITOPS_CONFIG'] ?? ''),
  queues: ['build', 'delivery', 'production', 'wait'],
  log: new DefaultLogger('ERROR'),
  ready: () => process.send?.('ready'),
  systemsOf: simulating(crowd, (count) => (waits = count)),
});
process.disconnect();
