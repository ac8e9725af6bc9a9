import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { loadConfig } from '../src/config/load.ts';
import type { Config } from '../src/config/schema.ts';
import { recreation } from '../src/doctor/recreation.ts';
import { createWorld } from '../src/doctor/world.ts';
import type { Finding } from '../src/doctor/check.ts';
import { backupKey, indexKey, noCounts, type BackupIndex } from '../src/model/recovery/backup.ts';
import { writeVerification } from '../src/systems/backups/catalogue.ts';
import { textBody } from '../src/systems/backups/index.ts';
import { prepareStore, recoveryOf } from '../src/wiring/backup-stores.ts';
import { backupOf } from '../src/config/backup-settings.ts';
import { makeBackupPlatform, type BackupPlatform } from './support/backups.ts';

let platform: BackupPlatform;
/** What the example says of the stack. */
const example = loadConfig(fileURLToPath(new URL('../examples/brainsait-rcm/gitops.yaml', import.meta.url)));

beforeAll(async () => {
  platform = await makeBackupPlatform();
  await prepareStore(backupOf(platform.config));
}, 60_000);
afterAll(() => platform.remove());
afterEach(() => void vi.unstubAllEnvs());

/** What the check finds, by what it looked at. */
async function look(changes: Partial<Config> = {}): Promise<Record<string, Finding>> {
  const { argocd, recreation: configured } = example;
  const config = { ...platform.config, argocd, recreation: configured, ...changes };
  const found: Finding[] = [];
  for await (const finding of recreation.look(createWorld(config, 'nowhere'))) found.push(finding);
  return Object.fromEntries(found.map((finding) => [finding.name, finding]));
}

test('on the stack everything is in its place, and only a drill is missing', async () => {
  const found = Object.values(await look());
  expect(found.filter(({ state }) => state !== 'ok')).toEqual([
    {
      name: 'proven backup',
      state: 'warning',
      detail: 'No drill has restored one of those that are stored.',
      remedy: 'Run: gitops recreate-cluster --backup latest --drill --wait',
    },
  ]);
  expect(found.map(({ name }) => name)).toEqual([
    'place of this program',
    'place of Temporal',
    'manifest of Argo CD',
    'control plane of drills',
    'proven backup',
  ]);
});

test('where nothing is backed up, nothing is rebuilt', async () => {
  const { backup: _, ...config } = platform.config;
  const world = createWorld(config, 'nowhere');
  expect(await recreation.look(world)[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
});

test('a worker or a Temporal that would be lost with the cluster is told', async () => {
  const server = URL.parse(
    (await createWorld(platform.config, '').kubernetes()).config.getCurrentCluster()?.server ?? '',
  );
  vi.stubEnv('KUBERNETES_SERVICE_HOST', server?.hostname);
  vi.stubEnv('TEMPORAL_ADDRESS', 'temporal-frontend.temporal.svc.cluster.local:7233');
  const found = await look();
  expect(found['place of this program']).toMatchObject({
    state: 'warning',
    remedy: expect.stringMatching(/runbooks/),
  });
  expect(found['place of Temporal']).toMatchObject({
    state: 'warning',
    detail: expect.stringContaining('temporal-frontend.temporal.svc.cluster.local') as string,
  });

  const address = await platform.kubectl([
    'get',
    'service',
    'kubernetes',
    '-n',
    'default',
    '-o',
    'jsonpath={.spec.clusterIP}',
  ]);
  vi.stubEnv('KUBERNETES_SERVICE_HOST', '203.0.113.1');
  vi.stubEnv('TEMPORAL_ADDRESS', `${address}:7233`);
  const again = await look();
  expect(again['place of this program']).toMatchObject({ state: 'ok' });
  expect(again['place of Temporal']).toMatchObject({
    state: 'warning',
    detail: expect.stringContaining('(Service default/kubernetes)') as string,
  });
});

test('a manifest that is missing, or another one, is told', async () => {
  const { install } = example.argocd;
  if (!install) throw new Error('The example pins a manifest.');
  const of = async (pinned: typeof install | undefined) =>
    (await look({ argocd: { namespace: 'argocd', ...(pinned && { install: pinned }) } }))[
      'manifest of Argo CD'
    ];
  expect(await of(undefined)).toMatchObject({
    state: 'failed',
    remedy: expect.stringMatching(/argocd.install/) as string,
  });
  expect(await of({ ...install, sha256: '0'.repeat(64) })).toMatchObject({
    state: 'failed',
    detail: expect.stringMatching(/has SHA-256 0b38189d.*says 0000/) as string,
  });
  expect(await of({ ...install, manifest: '/nowhere.yaml' })).toMatchObject({
    state: 'failed',
    detail: expect.stringMatching(/cannot be read/) as string,
  });
});

test('drills into the cluster itself, into nothing, or into nowhere are told', async () => {
  const of = async (kubeconfig?: string) => {
    const drill =
      kubeconfig === undefined ? undefined : { kubeconfig, schedule: '0 4 * * 0', timeZone: 'UTC' };
    return (await look({ recreation: { ...example.recreation, drill } }))['control plane of drills'];
  };
  expect(await of(process.env['KUBECONFIG'] ?? '')).toMatchObject({
    state: 'failed',
    detail: 'It is the cluster itself.',
  });
  expect(await of()).toMatchObject({
    state: 'warning',
    remedy: expect.stringMatching(/recreation.drill/),
  });
  expect(await of('/nowhere')).toMatchObject({ state: 'failed' });
});

test('a backup that a drill restored is told', async () => {
  const { store } = recoveryOf(backupOf(platform.config));
  const { cluster } = backupOf(platform.config);
  const createdAt = '2026-01-01T02:00:00.000Z';
  const key = backupKey(cluster, createdAt, '0'.repeat(64));
  const bytes = { sha256: '0'.repeat(64), size: 1 };
  const index: BackupIndex = {
    key,
    cluster,
    createdAt,
    argocd: { namespace: 'argocd' },
    counts: noCounts(),
    importable: 0,
    plain: bytes,
    stored: bytes,
    applications: [],
    sealingKeys: [],
    leftOut: [],
  };
  await store.putOnce(key, textBody('x'));
  await store.putOnce(indexKey(key), textBody(JSON.stringify(index)));
  const provenAt = '2026-01-02T03:00:00.000Z';
  await writeVerification(store, { key, state: 'good', verifiedAt: createdAt, provenAt });
  expect((await look())['proven backup']).toMatchObject({
    state: 'ok',
    detail: `${key} was restored whole by a drill, on ${provenAt}.`,
  });
});
