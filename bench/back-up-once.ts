// Reads, seals and stores one backup, as the activity storeBackup does, in a process of its own whose memory is its own:
// node bench/back-up-once.ts CONFIG KUBECONFIG KEY
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backupOf } from '../src/config/backup-settings.ts';
import { loadConfig } from '../src/config/load.ts';
import { exportArgoCd } from '../src/systems/argocd/export.ts';
import { createKubernetes } from '../src/systems/kubernetes/api-client.ts';
import { seal } from '../src/systems/backups/seal.ts';
import { fileBody } from '../src/systems/backups/index.ts';
import { recipientsOf, writersStore } from '../src/wiring/backup-stores.ts';

const [, , file = '', kubeconfig, key = ''] = process.argv;
const config = loadConfig(file);
const backup = backupOf(config);
const { sealingKeys } = backup;
const { namespace } = config.argocd;
const folder = await mkdtemp(join(tmpdir(), 'bench-backup-'));
let applications = 0;

async function* lines(): AsyncGenerator<string> {
  for await (const one of exportArgoCd(createKubernetes(kubeconfig), { namespace, sealingKeys })) {
    if ('leftOut' in one) continue;
    if (one.kind === 'Application') applications += 1;
    yield one.line;
  }
}

const sealed = join(folder, 'backup');
const { stored } = await seal(lines(), recipientsOf(backup), sealed, new AbortController().signal);
await writersStore(backup).putOnce(key, fileBody(sealed, stored));
await rm(folder, { recursive: true });
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ size: stored.size, applications, peakBytes }));
