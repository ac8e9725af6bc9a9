import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { s3Store, type TestStore } from './backup-stores.ts';
import { least, noticedSoon } from './configuration.ts';
import { kubectl } from './kubectl.ts';

/** Worth looking for in what must not hold it. */
export const plainSecret = `hunter2-${randomBytes(4).toString('hex')}`;

/** What Argo CD knows, in a namespace that no Argo CD looks at: nothing but a test changes it. */
export interface BackupPlatform {
  name: string;
  config: Config;
  configFile: string;
  env: Record<string, string>;
  /** The Argo CD namespace that is backed up. */
  namespace: string;
  identity: string;
  kubectl(args: string[], ...objects: object[]): Promise<string>;
  remove(): Promise<void>;
}

/** Its bucket is not made yet: `store.make`. */
export async function makeBackupPlatform(store: TestStore = s3Store()): Promise<BackupPlatform> {
  const id = randomBytes(3).toString('hex');
  const name = `b${id}`;
  const identity = await generateX25519Identity();
  const variable = `IDENTITY_${id.toUpperCase()}`;
  process.env[variable] = identity;
  const endpoint = process.env['S3_ENDPOINT'] ?? 'http://127.0.0.1:8333';
  const { readersCredential, ...settings } = await store.settings(name);
  const configFile = join(mkdtempSync(join(tmpdir(), 'gitops-backup-')), 'gitops.yaml');
  const written = {
    ...least,
    ...noticedSoon,
    platform: name,
    objects: { bucket: 'state', endpoint },
    argocd: { namespace: name },
    backup: {
      cluster: `c${id}`,
      ...settings,
      recipients: [await identityToRecipient(identity)],
      recovery: {
        identity: `env:${variable}`,
        ...(readersCredential !== undefined && { credential: readersCredential }),
      },
      // What tests store, tests remove.
      lock: 'governance',
      sealingKeys: name,
    },
  };
  writeFileSync(configFile, stringify(written, { aliasDuplicateObjects: false }));
  const config = loadConfig(configFile);
  const env = {
    GITOPS_CONFIG: configFile,
    GITOPS_WORK_DIRECTORY: mkdtempSync(join(tmpdir(), 'gitops-work-')),
    FORGE_TOKEN: 'none',
    NO_COLOR: '1',
    [variable]: identity,
    ...store.env,
  };
  await kubectl(['create', 'namespace', name]);
  await kubectl(['create', '-n', name, '-f', '-'], ...argoCdState());

  return {
    name,
    config,
    configFile,
    env,
    namespace: name,
    identity,
    kubectl,
    async remove() {
      await kubectl(['delete', 'namespace', '--wait=false', name]);
      await store.remove(name);
      await store.close();
      await rm(configFile, { force: true });
    },
  };
}

export const application = (name: string, more: object = {}) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name, annotations: { 'argocd.argoproj.io/refresh': 'normal' } },
  spec: {
    project: 'default',
    source: { repoURL: 'https://forge.example/team/platform.git', path: name, targetRevision: 'main' },
    destination: { server: 'https://kubernetes.default.svc', namespace: name },
    syncPolicy: { automated: { prune: true } },
  },
  status: {
    health: { status: 'Healthy' },
    history: [
      {
        id: 0,
        revision: 'a'.repeat(40),
        deployedAt: '2026-01-01T00:00:00Z',
        source: { repoURL: 'https://forge.example/team/platform.git', path: name },
      },
    ],
  },
  ...more,
});

const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

const secret = (name: string, labels: Record<string, string>, stringData: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, labels },
  stringData,
});

/** Some of everything that a backup holds, and some that it leaves out. */
function argoCdState(): object[] {
  const repository = { 'argocd.argoproj.io/secret-type': 'repository' };
  return [
    configMap('argocd-cm', { url: 'https://argocd.example' }),
    configMap('argocd-rbac-cm'),
    configMap('argocd-ssh-known-hosts-cm'),
    configMap('argocd-tls-certs-cm'),
    configMap('argocd-cmd-params-cm', { 'controller.log.level': 'info' }),
    configMap('somebody-elses'),
    secret('argocd-secret', {}, { 'server.secretkey': plainSecret }),
    secret('argocd-redis', {}, { auth: plainSecret }),
    secret('repository-platform', repository, {
      url: 'https://forge.example/team/platform.git',
      password: plainSecret,
    }),
    secret(
      'sealed-secrets-key1',
      { 'sealedsecrets.bitnami.com/sealed-secrets-key': 'active' },
      {
        'tls.key': plainSecret,
      },
    ),
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AppProject',
      metadata: { name: 'default' },
      spec: { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }] },
    },
    application('orders', { operation: { sync: { revision: 'main' } } }),
    application('payments'),
    application('shipping', {
      spec: {
        ...application('shipping').spec,
        source: {
          ...application('shipping').spec.source,
          helm: { valuesObject: { text: 'line\u2028separator', ratio: 0.5 } },
        },
      },
    }),
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'ApplicationSet',
      metadata: { name: 'previews' },
      spec: {
        generators: [{ list: { elements: [{ name: 'one' }] } }],
        template: { metadata: { name: '{{name}}' }, spec: application('one').spec },
      },
    },
  ];
}
