import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { execa } from 'execa';
import { parse, stringify } from 'yaml';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { backupOf } from '../src/config/backup-settings.ts';
import { applicationName } from '../src/config/environments.ts';
import { recreationId } from '../src/model/temporal/workflow-ids.ts';
import { recreationStatus } from '../src/model/temporal/messages.ts';
import type { PhaseName, Recreation } from '../src/model/recovery/recreation.ts';
import { startApiServer, startControllers, startScheduler } from '../scripts/stack/control-plane.ts';
import { pidOf } from '../scripts/stack/processes.ts';
import { startTemporal } from '../scripts/stack/temporal.ts';
import { noticedSoon } from './support/configuration.ts';
import { s3Store } from './support/backup-stores.ts';
import { activitiesOf, runsOf } from './support/histories.ts';
import { killsIn, meddledWith } from './support/meddling.ts';
import { keepRunning, makePlatform, stages, type Platform } from './support/platform.ts';

/** A cluster that is really lost, and what brings it back: killed as often as one likes, and by the book. */
const checkout = fileURLToPath(new URL('..', import.meta.url));
const bin = `${checkout}bin/gitops.js`;
const sealedSecrets = `${checkout}examples/brainsait-rcm/infrastructure/gitops/argocd/roots/sealed-secrets.yaml`;
const services = ['claims', 'payments', 'reports'];
/** An empty cluster is there after half a minute, and Argo CD in it after as long again. */
const patience = 8 * 60_000;
/** There are some forty kills, each noticed by three seconds of silence. */
const killsPatience = 25 * 60_000;

const store = s3Store();
const bucket = `lost-${randomBytes(3).toString('hex')}`;
let platform: Platform;
/** What a SealedSecret holds. */
const credential = 'opened-again';
/** What runs, by environment and service. */
let before: Record<string, string[]>;
/** How long each activity takes when nobody is killed. */
const usualMs: Record<string, number> = {};

const make = (target: string) => execa('make', [target], { cwd: checkout, timeout: patience });

beforeAll(async () => {
  await make('systems');
  platform = await makePlatform(services, { ...noticedSoon, ...(await sections()) }, patience);
  await removeOthers();
  await writeRoot();
  await sealCredential();
  await Promise.all([platform.worker.start(), platform.server.start()]);
  expect((await platform.command('setup')).exitCode).toBe(0);
  // Each at a version of its own, and not everywhere.
  const commits: { service: string; commit: string }[] = [];
  for (const service of services) commits.push({ service, commit: await platform.commit(service) });
  const started = await Promise.all(commits.map((change) => platform.gitops.deliver(change)));
  const [claims = '', payments = '', reports = ''] = started.map(({ change }) => change);
  await Promise.all([platform.carry(claims), platform.carry(payments)]);
  await platform.sees(reports, { environments: { staging: { state: 'waiting' } } });
  before = await runningRelease();
  await vi.waitFor(async () => expect(await opened()).toBe(credential), { timeout: 30_000 });
  await backUp();
  await platform.worker.end();
}, patience);

afterEach(() => platform.worker.kill());

afterAll(async () => {
  await make('systems');
  // It would make the others again.
  await platform.kubectl([
    'delete',
    'application',
    '-n',
    'argocd',
    '--ignore-not-found',
    `${platform.name}-root`,
  ]);
  await platform.remove();
  await store.remove(bucket);
  await store.close();
}, patience);

/** As the example has them, but for a bucket and keys of its own. */
async function sections(): Promise<Record<string, unknown>> {
  const example = parse(readFileSync(`${checkout}examples/brainsait-rcm/gitops.yaml`, 'utf8')) as {
    argocd: { install: { manifest: string } };
    recreation: { drill: { kubeconfig: string } };
  };
  const { argocd, recreation } = example;
  argocd.install.manifest = `${checkout}.stack/argocd/core-install.yaml`;
  recreation.drill.kubeconfig = `${checkout}.stack/scratch/kubeconfig`;
  const identity = await generateX25519Identity();
  process.env['RECREATION_IDENTITY'] = identity;
  const backup = {
    cluster: 'lost',
    ...(await store.settings(bucket)),
    recipients: [await identityToRecipient(identity)],
    recovery: { identity: 'env:RECREATION_IDENTITY' },
    // What tests store, tests remove.
    lock: 'governance',
  };
  return { argocd, recreation, backup };
}

/** Applications of platforms that are gone: nothing brings back what their repositories held. */
async function removeOthers(): Promise<void> {
  const path = 'jsonpath={range .items[*]}{.metadata.name} {.spec.source.repoURL}{"\\n"}{end}';
  const lines = (await platform.kubectl(['get', 'applications', '-n', 'argocd', '-o', path])).split('\n');
  const others = lines.filter(
    (line) => line !== '' && !line.includes(platform.gitea.name) && !line.includes('/brainsait/'),
  );
  const names = others.map((line) => line.split(' ')[0] ?? '');
  if (names.length > 0) await platform.kubectl(['delete', 'application', '-n', 'argocd', ...names]);
}

/** An Application that holds the others and their namespaces, as platforms have it; each service in a wave of its own. */
async function writeRoot(): Promise<void> {
  const { name, config, gitea } = platform;
  const documents: object[] = stages.map((stage) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: `${name}-${stage}` },
  }));
  for (const [wave, service] of services.entries()) {
    for (const stage of stages) {
      const application = applicationName(config, service, stage);
      const found = await platform.kubectl(['get', 'application', '-n', 'argocd', application, '-o', 'json']);
      const { apiVersion, kind, spec } = JSON.parse(found) as Record<string, unknown>;
      const annotations = { 'argocd.argoproj.io/sync-wave': `${wave}` };
      const metadata = { name: application, namespace: 'argocd', annotations };
      documents.push({ apiVersion, kind, metadata, spec });
    }
  }
  await gitea.write({ 'root/all.yaml': documents.map((one) => stringify(one)).join('---\n') });
  const source = { repoURL: config.repository.url, path: 'root', targetRevision: 'main' };
  await platform.kubectl(['apply', '-f', '-'], {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: `${name}-root`, namespace: 'argocd' },
    spec: {
      project: 'default',
      source,
      destination: { server: 'https://kubernetes.default.svc', namespace: 'argocd' },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
  });
  const root = ['get', 'application', '-n', 'argocd', `${name}-root`, '-o'];
  await vi.waitFor(
    async () => expect(await platform.kubectl([...root, 'jsonpath={.status.sync.status}'])).toBe('Synced'),
    { timeout: 60_000, interval: 500 },
  );
}

/** Sealed for this cluster, whose key is lost with it, unless a backup holds it. */
async function sealCredential(): Promise<void> {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'credential', namespace: `${platform.name}-production` },
    stringData: { value: credential },
  };
  // A cluster that was lost before has none.
  await platform.kubectl([
    'apply',
    '--server-side',
    '--force-conflicts',
    '--field-manager=gitops-stack',
    '-f',
    sealedSecrets,
  ]);
  await vi.waitFor(() => execa('kubeseal', ['--fetch-cert']), { timeout: 90_000, interval: 1000 });
  const { stdout } = await execa('kubeseal', ['--format', 'yaml'], { input: JSON.stringify(secret) });
  const overlay = 'deploy/claims/overlays/production';
  await platform.gitea.write({
    [`${overlay}/credential.yaml`]: stdout,
    [`${overlay}/kustomization.yaml`]: stringify({
      namespace: `${platform.name}-production`,
      resources: ['release', 'credential.yaml'],
    }),
  });
}

async function opened(): Promise<string> {
  const secret = ['get', 'secret', 'credential', '-n', `${platform.name}-production`, '--ignore-not-found'];
  const value = await platform.kubectl([...secret, '-o', 'jsonpath={.data.value}']);
  return Buffer.from(value, 'base64').toString();
}

async function runningRelease(): Promise<Record<string, string[]>> {
  const places = stages.flatMap((stage) => services.map((service) => [stage, service] as const));
  const found = places.map(async ([stage, service]) => [
    `${stage}/${service}`,
    await platform.running(service, stage),
  ]);
  return Object.fromEntries(await Promise.all(found)) as Record<string, string[]>;
}

/** All pods run what they did, the sealed secret is open, and nothing says anything else. */
async function expectBack(): Promise<void> {
  await vi.waitFor(async () => expect(await runningRelease()).toEqual(before), {
    timeout: 60_000,
    interval: 1000,
  });
  await vi.waitFor(async () => expect(await opened()).toBe(credential), { timeout: 30_000 });
}

const backUp = async () => {
  const { exitCode, stdout, stderr } = await gitops('backup', '--wait');
  if (exitCode !== 0) throw new Error(stdout + stderr);
};

/** A command that takes as long as it takes: its test has a time limit. */
async function gitops(...args: string[]) {
  const options = { env: platform.env, reject: false, stdin: 'ignore' } as const;
  const { stdout, stderr, exitCode } = await execa(process.execPath, [bin, ...args], options);
  return { stdout, stderr, exitCode };
}

async function recreate(): Promise<Recreation> {
  const latest = ['recreate-cluster', '--backup', 'latest', '--wait', '--yes', '--json'];
  const { stdout, stderr, exitCode } = await gitops(...latest);
  const recreation = JSON.parse(stdout) as Recreation;
  if (exitCode !== 0) throw new Error(`${exitCode}: ${stdout}\n${stderr}`);
  return recreation;
}

const workflow = () =>
  platform.temporal.workflow.getHandle(recreationId(platform.name, backupOf(platform.config).cluster));

/** Blocks of a page, by the beginning of their headings. */
function blocksOf(heading: string): string[] {
  const page = readFileSync(`${checkout}docs/runbooks/cluster-recreation.md`, 'utf8');
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  return [...section.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, code = '']) => code.trim().split('\n'));
}

/** A line of the page, in the shell of who follows it. @param typed what they type when they are asked */
async function follow(line: string, { env = {}, typed = '' } = {}) {
  const asGitops = `gitops() { "${process.execPath}" "${bin}" "$@"; }; export -f gitops`;
  const names = blocksOf('# Rebuild').join('; ');
  const command = typed === '' ? line : `script --quiet --return --command '${line}' /dev/null`;
  const shell = ['-c', `${asGitops}; ${names}; ${command}`];
  const { cluster } = backupOf(platform.config);
  return execa('bash', shell, {
    env: { SHELL: '/bin/bash', platform: platform.name, cluster, ...platform.env, ...env },
    input: typed,
    all: true,
    reject: false,
    timeout: patience,
  });
}

test(
  'who follows docs/runbooks/cluster-recreation.md has the cluster back, and what was delivered meanwhile goes on',
  async () => {
    await platform.worker.start();
    await make('lose-cluster');
    // Somebody did not hear of it.
    const commit = await platform.commit('reports');
    const { change } = await platform.gitops.deliver({ service: 'reports', commit });

    const [ready = '', listed = '', backups = ''] = blocksOf('1.');
    expect(await follow(ready)).toMatchObject({ exitCode: 0 });
    expect((await follow(listed)).exitCode).not.toBe(0);
    expect((await follow(backups)).all).toContain('good');
    for (const line of blocksOf('2.'))
      expect((await follow(line)).all).toMatch(/newest backup +argocd\/lost/);

    const [rebuild = '', describe = ''] = blocksOf('4.');
    const rebuilt = follow(rebuild, { typed: 'lost\n' });
    await vi.waitFor(async () => expect((await workflow().describe()).status.name).toBe('RUNNING'), 60_000);
    expect((await follow(describe)).all).toContain('recreateCluster');
    const { all, exitCode } = await rebuilt;
    if (exitCode !== 0) throw new Error(all);
    expect(all).toMatch(/# Recreation of lost/);

    const application = applicationName(platform.config, 'claims', 'production');
    for (const line of blocksOf('5.'))
      expect(await follow(line, { env: { application } })).toMatchObject({ exitCode: 0 });
    for (const { point, ms } of (await runsOf(platform.temporal, platform.name)).flatMap(activitiesOf)) {
      usualMs[point] = ms;
    }
    await platform.sees(change, { environments: { dev: { state: 'succeeded' } } });
    // Its pods are another version's now; the others run what they did.
    before['dev/reports'] = await vi.waitFor(async () => {
      const images = await platform.running('reports', 'dev');
      expect(images).toHaveLength(1);
      return images;
    });
    await expectBack();
    for (const line of blocksOf('6.')) {
      const { exitCode: code, all: said } = await follow(line);
      if (code !== 0) throw new Error(`${line}: ${code}\n${said}`);
    }
    const next = await platform.gitops.deliver({
      service: 'claims',
      commit: await platform.commit('claims'),
    });
    await platform.carry(next.change);
    before = await runningRelease();
    await backUp();
  },
  2 * patience,
);

test(
  'a recreation whose worker is killed before, during and after every activity ends as it would have',
  async () => {
    await make('lose-cluster');
    expect(await platform.kubectl(['get', 'namespaces', '-o=name'])).not.toContain('argocd');
    const diary = join(mkdtempSync(join(tmpdir(), 'gitops-recreation-')), 'diary');
    const kill = ['before', 'during', 'after'] as const;
    const { running, stop } = keepRunning(platform.worker, meddledWith({ kill, usualMs, diary }));
    try {
      await Promise.race([recreate(), running]);
    } finally {
      await stop();
    }
    await expectBack();
    const newest = (await runsOf(platform.temporal, platform.name)).find(
      ({ workflowId }) => workflowId === workflow().workflowId,
    );
    const activities = newest ? activitiesOf(newest) : [];
    expect(activities.length).toBeGreaterThanOrEqual(11);
    expect(activities.filter(({ attempts }) => attempts <= kill.length)).toEqual([]);
    const kills = killsIn(diary).filter(({ point }) => point.startsWith('recreate '));
    const killedAt = new Set(kills.map(({ point }) => point));
    expect(activities.filter(({ point }) => !killedAt.has(point))).toEqual([]);
    const times = [...Map.groupBy(kills, ({ activity }) => activity).values()];
    expect(times.filter(({ length }) => length !== kill.length)).toEqual([]);
  },
  killsPatience,
);

test(
  'a recreation during which Temporal is killed and the API server goes away ends as it would have',
  async () => {
    await platform.worker.start();
    await make('lose-cluster');
    expect(await platform.kubectl(['get', 'namespaces', '-o=name'])).not.toContain('argocd');
    const recreated = recreate();
    for (const phase of ['restore', 'sync'] as const) {
      await Promise.race([untilRunning(phase), recreated]);
      for (const name of ['temporal', 'kube-apiserver']) kill(name);
      // What dies still holds its port for a moment.
      const again = { timeout: 60_000, interval: 500 };
      await Promise.all([startTemporal, startApiServer].map((start) => vi.waitFor(start, again)));
      // Where there is no kubelet to do so: what the API server took with it.
      await Promise.all([startControllers(), startScheduler()]);
    }
    await recreated;
    await expectBack();
  },
  2 * patience,
);

function kill(name: string): void {
  const pid = pidOf(name);
  if (pid === undefined) throw new Error(`${name} does not run.`);
  process.kill(pid, 'SIGKILL');
}

async function untilRunning(phase: PhaseName): Promise<void> {
  await vi.waitFor(
    async () => {
      const { phases } = await workflow().query(recreationStatus);
      expect(phases.find(({ name }) => name === phase)?.state).toMatch(/running|succeeded/);
    },
    { timeout: patience, interval: 200 },
  );
}

test(
  'on a bare machine, with nothing but the backups, a drill shows that it would do',
  async () => {
    const [temporal = '', worker = ''] = blocksOf('3.');
    const env = {
      port: '17233',
      folder: mkdtempSync(join(tmpdir(), 'gitops-bare-')),
      TEMPORAL_ADDRESS: '127.0.0.1:17233',
    };
    const over = new AbortController();
    const running = [temporal, worker].map((line) =>
      execa('bash', ['-c', `exec ${line.replace(/^gitops/, `"${process.execPath}" "${bin}"`)}`], {
        env: { ...platform.env, ...env },
        reject: false,
        cancelSignal: over.signal,
      }),
    );
    try {
      const health = ['operator', 'cluster', 'health', '--address', env.TEMPORAL_ADDRESS];
      await vi.waitFor(() => execa('temporal', health), { timeout: 30_000, interval: 500 });
      for (const line of blocksOf('Drills')) {
        const { all, exitCode } = await follow(line, { env });
        if (exitCode !== 0) throw new Error(all);
        expect(all).toMatch(/# Drill: a restore of lost/);
      }
    } finally {
      over.abort();
      await Promise.all(running);
    }
    expect((await gitops('backups', 'list')).stdout).toMatch(/proven/);
  },
  patience,
);
