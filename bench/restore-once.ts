// Restores a backup into a drill's control plane, as a worker does, in a process of its own:
// node bench/restore-once.ts CLUSTER KEY WORKFLOW RUN
import { tmpdir } from 'node:os';
import { createRestoreBackup } from '../src/activities/recreation/restore.ts';
import { loadConfig } from '../src/config/load.ts';
import { connectClient } from '../src/systems/temporal/connect.ts';
import { createSystems } from '../src/wiring/systems.ts';
import { environmentOf } from '../test/support/building-site.ts';

const [, , cluster = '', key = '', workflowId = '', runId = ''] = process.argv;
const temporal = await connectClient();
const systems = createSystems(loadConfig(process.env['GITOPS_CONFIG'] ?? ''), temporal, tmpdir());
const { restoreBackup } = createRestoreBackup(systems);
const target = { cluster, recreation: runId, drill: false };
const restored = await environmentOf({ workflowId, runId }).run(restoreBackup, { ...target, key });
process.stdout.write(JSON.stringify(restored));
await temporal.connection.close();
