import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportArgoCd } from '../../src/systems/argocd/export.ts';
import { createKubernetes } from '../../src/systems/kubernetes/api-client.ts';
import { seal } from '../../src/systems/backups/seal.ts';

/** Exports once and seals it, as a backup does, and tells how much memory that took at most: `node export-once.ts NAMESPACE RECIPIENT`. */
const [, , namespace = '', recipient = ''] = process.argv;
const directory = mkdtempSync(join(tmpdir(), 'gitops-export-'));
let objects = 0;

async function* lines() {
  for await (const one of exportArgoCd(createKubernetes(), { namespace, sealingKeys: namespace })) {
    if ('leftOut' in one) continue;
    objects += 1;
    yield one.line;
  }
}

await seal(lines(), [recipient], join(directory, 'backup'), new AbortController().signal);
await rm(directory, { recursive: true });
process.stdout.write(JSON.stringify({ objects, peakBytes: process.resourceUsage().maxRSS * 1024 }));
