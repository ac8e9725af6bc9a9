import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { stringify } from 'yaml';
import type { Rig } from './workflow-rig.ts';

const bin = fileURLToPath(new URL('../../bin/gitops.js', import.meta.url));

/** A command takes a second; one that takes this long hangs. */
const timeout = 30_000;

/** The configuration of a rig's platform; its systems other than Temporal are nowhere. */
function configFileOf({ platform }: Rig): string {
  const nowhere = 'http://127.0.0.1:9';
  const file = join(mkdtempSync(join(tmpdir(), 'gitops-cli-')), 'gitops.yaml');
  const config = {
    platform,
    repository: { url: `${nowhere}/team/platform.git` },
    forge: { kind: 'gitea', url: nowhere, token: 'env:FORGE_TOKEN' },
    registry: { image: 'registry.example/team/{service}' },
    objects: { endpoint: nowhere, bucket: 'state' },
    manifests: 'manifests/{service}',
    services: { discover: ['services/*'] },
    environments: [
      { name: 'dev', entersBy: 'push' },
      { name: 'staging', approval: 'review' },
      { name: 'production', approval: { quorum: 2 }, sync: 'manual' },
    ],
    identity: 'trusted-namespace',
    people: { 'board-1': {}, 'board-2': {} },
  };
  writeFileSync(file, stringify(config));
  return file;
}

/** The `gitops` command as a shell would run it, on a rig's platform. */
export function commandOf(rig: Rig) {
  const config = configFileOf(rig);
  return async (...args: string[]) => {
    const { stdout, stderr, exitCode } = await execa(process.execPath, [bin, ...args], {
      env: { TEMPORAL_ADDRESS: rig.temporal.address, GITOPS_CONFIG: config, NO_COLOR: '1' },
      reject: false,
      timeout,
      stdin: 'ignore',
    });
    return { stdout, stderr, exitCode };
  };
}
