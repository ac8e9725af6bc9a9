import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { z } from 'zod';
import { createKubernetes } from '../src/systems/kubernetes/api-client.ts';
import { configuration } from '../test/support/configuration.ts';
import { makeRecreationBed, newBedId, type Lost, type RecreationBed } from '../test/support/recreation.ts';
import { comparator, kubeconfigOfArgoCd } from './comparator.ts';
import { judged, over, side, timed, type Parameters, type Report } from './harness.ts';

const waves = [0, 1, 2, 3, 4];

/**
 * Brings Applications back that were restored and of which nothing runs: in five waves, each begun when all of the one
 * before is healthy. Applications with a Deployment, a Service and a ConfigMap each.
 */
export async function run({ rounds = 3, services = [200] }: Parameters = {}): Promise<Report> {
  const [count = 200] = services;
  const id = newBedId();
  const folder = await mkdtemp(join(tmpdir(), 'bench-recreate-'));
  const bed = await makeRecreationBed(
    id,
    () => Array.from({ length: count }, (_, number) => lostApplication(number)),
    () => configuration(),
  );
  try {
    const env = { KUBECONFIG: await kubeconfigOfArgoCd(folder) };
    await nothingRuns(bed, count);
    const ours: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      ours.push(await timed(() => syncWaves(bed, `${bed.target.recreation}-${round}`, count)));
      await check(bed, count);
      await nothingRuns(bed, count);
    }
    const script = comparator('sync-in-waves.sh');
    const loop = [await timed(() => execa(script, [`bed=${id}`, bed.revision], { env }))];
    await check(bed, count);
    return {
      sides: { syncWave: side('ms', ours), 'argocd app sync and wait': side('ms', loop) },
      ratios: {
        'argocd app sync and wait / syncWave': judged(over(loop, ours), { atLeast: 5 }),
      },
      notes: [`${count} Applications in ${waves.length} waves; their Deployments have no replicas.`],
    };
  } finally {
    await bed.remove();
    await rm(folder, { recursive: true });
  }
}

/** No pod runs: its start would take the same seconds of the same two cores whoever waits for it. */
function lostApplication(number: number): Lost {
  const name = `app-${number}`;
  const labels = { app: name };
  const manifests = [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'app', image: 'debian:bookworm-slim' }] },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: labels, ports: [{ port: 80 }] },
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { number: `${number}` } },
  ];
  const text = manifests.map((manifest) => stringify(manifest)).join('---\n');
  return { name, wave: waves[number % waves.length] ?? 0, files: { 'all.yaml': text } };
}

async function syncWaves({ activities, ...bed }: RecreationBed, recreation: string, count: number) {
  const { target, key, startedAt } = bed;
  let healthy = 0;
  for (const wave of waves) {
    const input = { ...target, recreation, key, startedAt, wave };
    healthy += (await bed.run(() => activities.syncWave(input))).healthy;
  }
  if (healthy !== count) throw new Error(`${healthy} of ${count} Applications became healthy.`);
}

const listSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), annotations: z.record(z.string(), z.string()) }),
      status: z.object({
        sync: z.object({ status: z.string() }).optional(),
        health: z.object({ status: z.string() }).optional(),
        operationState: z.object({ startedAt: z.string(), finishedAt: z.string().optional() }).optional(),
      }),
    }),
  ),
});

async function applications(bed: RecreationBed) {
  const answer = await bed.kubectl([
    'get',
    'applications',
    '-n',
    'argocd',
    '-l',
    `bed=${bed.namespace}`,
    '-o',
    'json',
  ]);
  return listSchema.parse(JSON.parse(answer)).items;
}

/** Whether all of it is there, and no wave began before the one before it had ended. */
async function check(bed: RecreationBed, count: number): Promise<void> {
  const found = await applications(bed);
  const healthy = found.filter(
    ({ status }) => status.sync?.status === 'Synced' && status.health?.status === 'Healthy',
  );
  const objects = await bed.kubectl([
    'get',
    'deployments,services,configmaps',
    '-n',
    bed.namespace,
    '-o',
    'name',
  ]);
  const there = objects.split('\n').filter((name) => name.includes('/app-'));
  if (healthy.length !== count || there.length !== 3 * count) {
    throw new Error(`${healthy.length} Applications are healthy, and ${there.length} objects are there.`);
  }
  const times = waves.map((wave) => {
    const own = found.filter(
      ({ metadata }) => metadata.annotations['argocd.argoproj.io/sync-wave'] === `${wave}`,
    );
    const states = own.map(({ status: { operationState } }) => operationState);
    return {
      began: Math.min(...states.map((state) => Date.parse(state?.startedAt ?? ''))),
      ended: Math.max(...states.map((state) => Date.parse(state?.finishedAt ?? ''))),
    };
  });
  for (const [index, { ended }] of times.entries()) {
    const next = times[index + 1];
    if (next && !(next.began >= ended)) throw new Error(`Wave ${index + 1} began before ${index} had ended.`);
  }
}

/** Takes away what was deployed, until Argo CD has seen that. */
async function nothingRuns(bed: RecreationBed, count: number): Promise<void> {
  // One by one, kubectl would take minutes.
  const kubernetes = createKubernetes();
  for (const [api, kind] of [
    ['/apis/apps/v1', 'deployments'],
    ['/api/v1', 'services'],
    ['/api/v1', 'configmaps'],
  ] as const) {
    await kubernetes.delete(`${api}/namespaces/${bed.namespace}/${kind}`);
  }
  for (;;) {
    const missing = (await applications(bed)).filter(({ status }) => status.health?.status === 'Missing');
    if (missing.length === count) return;
    await sleep(1000);
  }
}
