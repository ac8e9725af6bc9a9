import { readFileSync } from 'node:fs';
import type { Client } from '@temporalio/client';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { connectClient } from '../src/systems/temporal/connect.ts';
import { registerSearchAttributes } from '../src/systems/temporal/setup.ts';
import { backupOf } from '../src/config/backup-settings.ts';
import { nightlyBackupId } from '../src/model/temporal/workflow-ids.ts';
import { sealedSecretsManifest } from '../scripts/stack/binaries.ts';
import { run, runJson, startWorker } from './support/backup-commands.ts';
import { makeBackupPlatform, type BackupPlatform } from './support/backups.ts';

/** On two busy cores a command takes seconds. */
const timeout = 90_000;

/** Valid since 2020. */
const oldCertificate = `-----BEGIN CERTIFICATE-----
MIHnMIGOAgEBMAoGCCqGSM49BAMCMAAwHhcNMjAwMTAxMDAwMDAwWhcNMzAwMTAx
MDAwMDAwWjAAMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE556bq6rQPexQ7mvY
MVIC1bT/K7a2eGGKMim2MXHH6WqHMC6TwOU7Y+WLyINWGPzd3URw0QOSHUFKhrU8
Hb39ZjAKBggqhkjOPQQDAgNIADBFAiEA+uR/jxrJAe7QSO3xW1KSaDTlulXT39+t
eUduS+RoW94CICD/9CKp9LarXqyte1S5Nfgj8qKkZ8hSQ2v7k2qI7QXA
-----END CERTIFICATE-----
`;

let platform: BackupPlatform;
let temporal: Client;

beforeAll(async () => {
  platform = await makeBackupPlatform();
  await removeKeys();
  temporal = await connectClient();
  await registerSearchAttributes(temporal);
}, timeout);

afterAll(async () => {
  const schedule = nightlyBackupId(platform.name, backupOf(platform.config).cluster);
  await temporal.schedule
    .getHandle(schedule)
    .delete()
    .catch(() => undefined);
  await temporal.connection.close();
  await platform.remove();
}, timeout);

const removeKeys = () =>
  platform.kubectl([
    ...['delete', 'secrets', '-n', platform.namespace],
    ...['-l', 'sealedsecrets.bitnami.com/sealed-secrets-key'],
  ]);

const addKey = (name: string, certificate: string) =>
  platform.kubectl(['create', '-n', platform.namespace, '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, labels: { 'sealedsecrets.bitnami.com/sealed-secrets-key': 'active' } },
    stringData: { 'tls.crt': certificate },
  });

/** What doctor says of the keys: `<state> <name>: <detail>`. */
async function found(): Promise<string[]> {
  const { stdout } = await run(platform, ['doctor', '--json']);
  const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; detail: string }[] };
  return checks
    .filter(({ name }) => name.startsWith('sealing keys'))
    .map(({ name, state, detail }) => `${state} ${name}: ${detail}`);
}

test(
  'SealedSecrets without a key are named: nobody can open them',
  async () => {
    const manifest = parseAllDocuments(readFileSync(sealedSecretsManifest(), 'utf8')).map((one) =>
      one.toJS(),
    );
    const definition = manifest.find(({ kind }) => kind === 'CustomResourceDefinition');
    const apply = [
      'apply',
      '--server-side',
      '--field-manager=sealing-keys-test',
      '--force-conflicts',
      '-f',
      '-',
    ];
    await platform.kubectl(apply, definition);
    await platform.kubectl(['wait', '--for=condition=Established', `crd/${definition.metadata.name}`]);
    await platform.kubectl(['create', '-f', '-'], {
      apiVersion: 'bitnami.com/v1alpha1',
      kind: 'SealedSecret',
      metadata: { name: 'lost', namespace: platform.namespace },
      spec: { encryptedData: { key: 'AgA=' } },
    });
    expect(await found()).toEqual([
      `failed sealing keys: There is none in ${platform.namespace}, and there are SealedSecrets, which nobody can open.`,
    ]);
  },
  timeout,
);

test(
  'a controller that makes no new keys is named, and each key that the newest backup lacks',
  async () => {
    await addKey('sealed-secrets-key-old', oldCertificate);
    expect(await found()).toEqual([
      expect.stringMatching(/^warning sealing keys: The newest of 1 in .* days old/),
      'warning sealing keys in the newest backup: Was not looked at: the store of the backups could not be read.',
    ]);

    const worker = await startWorker(platform);
    try {
      await runJson(platform, ['setup']);
      await runJson(platform, ['backup', '--wait']);
      await removeKeys();
      await addKey('sealed-secrets-key-new', await newCertificate());
      expect(await found()).toEqual([
        expect.stringMatching(/^ok sealing keys: The newest of 1 in \S+ is 0 days old\.$/),
        expect.stringMatching(/^warning sealing keys in .*: sealed-secrets-key-new: made after argocd/),
      ]);
      await runJson(platform, ['backup', '--wait']);
      expect(await found()).toContainEqual(expect.stringMatching(/^ok sealing keys in .* has all of them/));

      await addKey('sealed-secrets-key-forgotten', oldCertificate);
      expect(await found()).toContainEqual(
        expect.stringMatching(/^failed sealing keys in .* lacks sealed-secrets-key-forgotten/),
      );
    } finally {
      await worker.end();
    }
  },
  3 * timeout,
);

async function newCertificate(): Promise<string> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout', '/dev/null'];
  return (await execa('openssl', ['req', '-x509', ...key, '-subj', '/CN=test'])).stdout;
}
