import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { applicationName } from '../src/config/environments.ts';
import { pollId } from '../src/model/temporal/workflow-ids.ts';
import { makePlatform, type Platform } from './support/platform.ts';

let platform: Platform;
/** For configurations. */
let folder: string;

beforeAll(async () => {
  platform = await makePlatform();
  folder = mkdtempSync(join(tmpdir(), 'gitops-doctor-test-'));
  await protect({});
}, 120_000);

afterAll(async () => {
  await platform.temporal.schedule
    .getHandle(pollId(platform.name))
    .delete()
    .catch(() => undefined);
  await platform.remove();
  rmSync(folder, { recursive: true });
});

/** Rules by which the bot and developers push and merge, and reviews are dismissed by a push. */
async function protect(changes: object): Promise<void> {
  const { gitea } = platform;
  const writers = [gitea.login('bot'), gitea.login('developer')];
  await gitea.api('DELETE', '/branch_protections/main').catch(() => undefined);
  await gitea.api('POST', '/branch_protections', {
    rule_name: 'main',
    enable_push: true,
    enable_push_whitelist: true,
    push_whitelist_usernames: writers,
    enable_merge_whitelist: true,
    merge_whitelist_usernames: writers,
    dismiss_stale_approvals: true,
    ...changes,
  });
}

const reportSchema = z.strictObject({
  ok: z.boolean(),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(['ok', 'warning', 'failed']),
      detail: z.string(),
      remedy: z.string().optional(),
    }),
  ),
});

interface Written {
  platform: string;
  repository: { url: string; token: string };
  forge: { url: string; token: string };
  registry: { image: string; insecure: boolean; pullSecrets?: string[] };
  objects: { endpoint: string };
  environments: { name: string; application: string; namespace?: string }[];
}

/** Runs the command on the platform's configuration, changed. Whatever it finds, it shows no secret. */
async function doctor(change: (config: Written) => void = () => undefined) {
  const config = parse(readFileSync(platform.configFile, 'utf8')) as Written;
  change(config);
  const file = join(folder, 'gitops.yaml');
  writeFileSync(file, stringify(config));
  const { stdout, stderr, exitCode } = await platform.command('doctor', '--json', '--config', file);
  for (const secret of [platform.gitea.token('bot'), process.env['AWS_SECRET_ACCESS_KEY'] ?? '-']) {
    expect(stdout + stderr).not.toContain(secret);
  }
  const { ok, checks } = reportSchema.parse(JSON.parse(stdout));
  for (const { state, remedy } of checks) expect(remedy === undefined).toBe(state === 'ok');
  const of = (state: string) => checks.filter((check) => check.state === state);
  const lines = (state: string) => of(state).map(({ name, detail }) => `${name}: ${detail}`);
  expect(ok).toBe(of('failed').length === 0);
  return { exitCode, checks, failed: lines('failed'), warned: lines('warning'), fine: lines('ok') };
}

async function unusedPort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

/** The stack's cluster, as a service account sees it. */
async function kubeconfigOf(namespace: string, account: string): Promise<string> {
  const shown = await platform.kubectl(['config', 'view', '--raw', '--minify', '--output=json']);
  const config = z.looseObject({ users: z.array(z.looseObject({})) }).parse(JSON.parse(shown));
  const token = (await platform.kubectl(['create', 'token', account, '-n', namespace])).trim();
  const users = config.users.map((user) => ({ ...user, user: { token } }));
  const file = join(folder, 'kubeconfig');
  writeFileSync(file, JSON.stringify({ ...config, users }), { mode: 0o600 });
  return file;
}

const application = (environment: string): string => applicationName(platform.config, 'claims', environment);

const patchApplication = (environment: string, spec: object): Promise<string> =>
  platform.kubectl([
    ...['patch', 'application', '-n', 'argocd', application(environment)],
    ...['--type=merge', '-p', JSON.stringify({ spec })],
  ]);

test('before setup and without a worker, it says what to run', async () => {
  const { exitCode, checks, failed } = await doctor();
  expect(failed).toEqual([
    `poll of the repository: There is no schedule ${pollId(platform.name)}.`,
    `worker for build: Nobody serves ${platform.name}/build.`,
    `worker for delivery: Nobody serves ${platform.name}/delivery.`,
    `worker for production: Nobody serves ${platform.name}/production.`,
    `worker for wait: Nobody serves ${platform.name}/wait.`,
  ]);
  expect(checks.filter(({ state }) => state === 'failed').map(({ remedy }) => remedy)).toEqual([
    'Run: gitops setup',
    ...['build', 'delivery', 'production', 'wait'].map((queue) => `Run: gitops worker --queues ${queue}`),
  ]);
  expect(exitCode).toBe(2);
});

describe('once it is set up and a worker runs', () => {
  beforeAll(async () => {
    await platform.command('setup');
    await platform.worker.start();
  });

  test('where everything fits nothing fails, and a laptop is told from a platform in earnest', async () => {
    const { exitCode, failed, warned, fine } = await doctor();
    expect(failed).toEqual([]);
    expect(warned).toEqual([
      expect.stringMatching(/^separation of workers: .* for laptops/),
      expect.stringMatching(/^people: board-1 decides and has no forge login and no e-mail address/),
      expect.stringMatching(/^people: board-2 decides/),
    ]);
    const names = [
      'Temporal',
      'repository',
      'push',
      'layout',
      'forge',
      'registry',
      'object store',
      'cluster',
      'Argo CD',
      `pods in ${platform.name}-dev`,
    ];
    for (const name of names) expect(fine).toContainEqual(expect.stringMatching(`^${name}: `));
    for (const environment of ['dev', 'staging', 'production']) {
      expect(fine).toContainEqual(`Application ${application(environment)}: It fits.`);
    }
    expect(exitCode).toBe(0);
  });

  test('people read a line for each, and below it what to change', async () => {
    const { stdout } = await platform.command('doctor');
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/! separation of workers .* → Run them apart/);
    expect(stdout).toMatch(/0 failed, 3 to think about, \d+ fine$/);
  });

  describe('an Application', () => {
    const path = (environment: string) => `deploy/claims/overlays/${environment}`;

    afterEach(async () => {
      const automated = { prune: true, selfHeal: true };
      const repoURL = platform.config.repository.url;
      await patchApplication('dev', { source: { path: path('dev'), targetRevision: 'main', plugin: null } });
      await patchApplication('staging', {
        source: { repoURL },
        sources: null,
        syncPolicy: { automated },
        destination: { namespace: `${platform.name}-staging` },
      });
      await patchApplication('production', { syncPolicy: null });
    });

    test('that syncs otherwise or elsewhere than the configuration says is named', async () => {
      await patchApplication('dev', { source: { path: path('staging') } });
      await patchApplication('staging', { syncPolicy: null, destination: { namespace: 'elsewhere' } });
      await patchApplication('production', { syncPolicy: { automated: { prune: true } } });
      const { exitCode, failed } = await doctor();
      expect(failed).toEqual([
        `Application ${application('dev')}: It syncs ${path('staging')}, not ${path('dev')}.`,
        `Application ${application('staging')}: Argo CD does not sync it by itself.`,
        `Application ${application('staging')}: It deploys to namespace elsewhere, not to ${platform.name}-staging.`,
        `Application ${application('production')}: Argo CD syncs it by itself, so a merge alone changes production.`,
      ]);
      expect(exitCode).toBe(2);
    });

    test('that follows another branch or repository is named', async () => {
      await patchApplication('dev', { source: { targetRevision: 'develop' } });
      await patchApplication('staging', { source: { repoURL: 'http://other.example/team/other.git' } });
      const { failed } = await doctor();
      expect(failed).toEqual([
        `Application ${application('dev')}: It follows develop, not main.`,
        expect.stringMatching(/It syncs from http:\/\/other\.example\/team\/other\.git, not from http/),
      ]);
    });

    test('that is rendered by something else, has several sources, or lies elsewhere is named', async () => {
      await patchApplication('dev', { source: { plugin: { name: 'fill-in' } } });
      const source = {
        repoURL: platform.config.repository.url,
        path: path('staging'),
        targetRevision: 'main',
      };
      await patchApplication('staging', { sources: [source] });
      const name = application('production');
      const { spec } = z
        .object({ spec: z.unknown() })
        .parse(
          JSON.parse(await platform.kubectl(['get', 'application', '-n', 'argocd', name, '-o', 'json'])),
        );
      const move = async (from: string, to: string): Promise<void> => {
        await platform.kubectl(['delete', 'application', '-n', from, name]);
        const metadata = { name, namespace: to };
        const moved = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', metadata, spec };
        await platform.kubectl(['create', '-f', '-'], moved);
      };
      const elsewhere = `${platform.name}-production`;
      await move('argocd', elsewhere);
      const { failed } = await doctor();
      await move(elsewhere, 'argocd');
      expect(failed).toEqual([
        `Application ${application('dev')}: It renders ${path('dev')} by spec.source.plugin, and not by Kustomize as releases are: take that block out.`,
        `Application ${application('staging')}: It has no single source: it needs spec.source with path ${path('staging')} instead of spec.sources.`,
        expect.stringMatching(`Application ${name} lies in namespace ${elsewhere}, not in argocd.`),
      ]);
    });
  });

  test('a protected branch that keeps the bot out, or every pull request, is named', async () => {
    const developers = [platform.gitea.login('developer')];
    await protect({
      push_whitelist_usernames: developers,
      merge_whitelist_usernames: developers,
      required_approvals: 1,
    });
    try {
      const { exitCode, failed } = await doctor();
      expect(failed).toEqual([
        "branch rules: The token's user may not push to main, which releases for dev need.",
        "branch rules: The token's user may not merge to main.",
        'branch rules: The required approvals of main are 1, and nobody reviews pull requests for production.',
      ]);
      expect(exitCode).toBe(2);
    } finally {
      await protect({});
    }
  });

  test('an account of Git that may not write is named', async () => {
    process.env['TEST_STRANGER_TOKEN'] = platform.gitea.token('stranger');
    const { exitCode, failed } = await doctor(
      (config) => (config.repository.token = 'env:TEST_STRANGER_TOKEN'),
    );
    expect(failed).toEqual([
      "branch rules for repository.token: The token's user may not write.",
      expect.stringMatching(/^branch rules for repository\.token: .* may not push to main/),
      expect.stringMatching(/^branch rules for repository\.token: .* may not merge to main/),
    ]);
    expect(exitCode).toBe(2);
  });

  test("a bucket that is another platform's is named", async () => {
    await doctor();
    const { failed } = await doctor((config) => (config.platform = 'newcomer'));
    expect(failed).toContainEqual(
      `object store: Bucket ${platform.config.objects.bucket} is the platform ${platform.name}'s: what the two store would mix.`,
    );
  });

  test('a secret that is not there is named', async () => {
    const { exitCode, failed } = await doctor((config) => (config.forge.token = 'env:TEST_NOBODY_SET'));
    expect(failed).toEqual([
      'forge: The secret env:TEST_NOBODY_SET is empty or not there. Set it where the worker runs.',
    ]);
    expect(exitCode).toBe(2);
  });

  test('systems that cannot be reached hide neither each other nor the rest', async () => {
    const port = await unusedPort();
    const nowhere = `http://127.0.0.1:${port}`;
    const { exitCode, failed, fine } = await doctor((config) => {
      config.forge.url = nowhere;
      config.registry.image = `127.0.0.1:${port}/team/{service}`;
      config.registry.insecure = true;
      config.objects.endpoint = nowhere;
    });
    expect(failed).toEqual([
      // Of a registry that is another one, the manifests know nothing yet.
      expect.stringMatching(/^layout: deploy\/claims\/base does not name the image 127\.0\.0\.1:/),
      expect.stringMatching(/^forge: .* was not answered: connect ECONNREFUSED/),
      expect.stringMatching(/^registry: The registry .* did not answer: connect ECONNREFUSED/),
      expect.stringMatching(/^object store: .* answered Error: connect ECONNREFUSED/),
    ]);
    expect(fine).toContainEqual(expect.stringMatching(/^repository: /));
    expect(fine).toContainEqual(`Application ${application('production')}: It fits.`);
    expect(exitCode).toBe(4);
  });

  test('without Temporal and the cluster the rest is still looked at', async () => {
    const before = { ...process.env };
    Object.assign(process.env, { TEMPORAL_ADDRESS: '127.0.0.1:9', KUBECONFIG: '/nowhere/kubeconfig' });
    try {
      const { exitCode, failed, warned, fine } = await doctor();
      expect(failed).toEqual([
        expect.stringMatching(/^Temporal: Temporal cannot be reached at 127\.0\.0\.1:9/),
        expect.stringMatching(/^cluster: The kubeconfig cannot be read: .*\/nowhere\/kubeconfig/),
      ]);
      expect(warned).toContainEqual('Applications: Was not looked at: the cluster could not be read.');
      expect(fine).toContainEqual(expect.stringMatching(/^object store: /));
      expect(exitCode).toBe(4);
    } finally {
      Object.assign(process.env, before);
    }
  });

  test('an account of the cluster that may only look is named, with what it may not do', async () => {
    const namespace = `${platform.name}-dev`;
    const account = ['--serviceaccount', `${namespace}:looker`];
    const looks = [
      '--verb=get,list,watch',
      '--resource=applications.argoproj.io,appprojects.argoproj.io,configmaps',
    ];
    await platform.kubectl(['create', 'serviceaccount', 'looker', '-n', namespace]);
    await platform.kubectl(['create', 'role', platform.name, '-n', 'argocd', ...looks]);
    const role = ['--role', platform.name];
    await platform.kubectl(['create', 'rolebinding', platform.name, '-n', 'argocd', ...role, ...account]);
    const before = process.env['KUBECONFIG'];
    process.env['KUBECONFIG'] = await kubeconfigOf(namespace, 'looker');
    try {
      const { exitCode, failed, warned, fine } = await doctor();
      expect(failed).toEqual([
        'rights in the cluster: We may not patch applications in argocd, update applications in argocd, delete applications in argocd.',
        ...['dev', 'production', 'staging'].map((environment) => {
          const home = `${platform.name}-${environment}`;
          return `pods in ${home}: We may not list pods in ${home}: which image runs cannot be seen, so no promotion succeeds.`;
        }),
      ]);
      for (const blind of [
        /^pods in .*: We may not get deployments in .*: of a service with one it cannot be seen/,
        /^pods in .*: We may not get pods\/log in .*: failures go unexplained/,
      ]) {
        expect(warned).toContainEqual(expect.stringMatching(blind));
      }
      expect(fine).toContainEqual(`Application ${application('dev')}: It fits.`);
      expect(exitCode).toBe(2);
    } finally {
      process.env['KUBECONFIG'] = before;
      await platform.kubectl(['delete', 'rolebinding,role', '-n', 'argocd', platform.name]);
    }
  });

  test('a repository that is not there, and what could not be looked at without it', async () => {
    const { exitCode, failed, warned } = await doctor((config) => {
      config.repository.url = config.repository.url.replace(/[\w-]+\.git$/, 'other.git');
    });
    expect(failed).toEqual([
      expect.stringMatching(/^repository: git fetch: .*not found/is),
      expect.stringMatching(/^forge: .* 404 /),
    ]);
    expect(warned.filter((line) => line.includes('Was not looked at'))).toEqual([
      'layout: Was not looked at: the repository could not be read.',
      'Applications: Was not looked at: the repository could not be read.',
    ]);
    expect(exitCode).toBe(2);
  });

  test('pull secrets are looked for in each namespace', async () => {
    const create = (environment: string, ...secret: string[]) =>
      platform.kubectl(['create', 'secret', '-n', `${platform.name}-${environment}`, ...secret]);
    await create('dev', 'generic', 'pull', '--from-literal=password=none');
    const login = ['--docker-server=localhost', '--docker-username=none', '--docker-password=none'];
    await create('staging', 'docker-registry', 'pull', ...login);

    const { failed, fine } = await doctor((config) => (config.registry.pullSecrets = ['pull']));

    expect(failed).toEqual([
      `pull secret pull in ${platform.name}-dev: It is of type Opaque.`,
      `pull secret pull in ${platform.name}-production: It is not there: pods could not pull their images.`,
    ]);
    expect(fine).toContain(`pull secret pull in ${platform.name}-staging: It is there.`);
  });

  test('what is in the repository and would not work is named', async () => {
    const write = (file: string, content: string) => platform.gitea.commit('main', file, content);
    await write('services/fees/Dockerfile', 'FROM scratch\n');
    await write('deploy/fees/base/kustomization.yaml', 'resources: [../../common]\n');
    await write('deploy/fees/overlays/dev/kustomization.yaml', 'resources: [../../base]\n');
    await write('deploy/fees/overlays/staging/kustomization.yaml', overridesImage('fees'));
    await write('deploy/claims/overlays/dev/release/kustomization.yaml', 'resources: []\n');

    const { exitCode, failed, warned } = await doctor((config) => {
      for (const environment of config.environments) environment.application = '{service}-in-{environment}';
    });

    expect(failed).toEqual([
      expect.stringMatching(/^layout: deploy\/fees\/base\/.* names \.\.\/\.\.\/common, which is outside of/),
      expect.stringMatching(/^layout: deploy\/fees\/overlays\/dev\/.* does not include the release/),
      expect.stringMatching(
        /^layout: deploy\/fees\/overlays\/dev\/.* names \.\.\/\.\.\/base, which changes /,
      ),
      expect.stringMatching(/^layout: deploy\/fees\/overlays\/staging\/.* replaces the image/),
      expect.stringMatching(/^layout: deploy\/fees\/overlays\/production has no kustomization/),
      'Application claims-in-dev: There is none, and deploy/claims/overlays/dev/release/ holds a release for it.',
    ]);
    expect(warned).toContain(
      'Application claims-in-staging: There is none yet: the first promotion waits for it.',
    );
    expect(exitCode).toBe(2);
  });
});

const overridesImage = (service: string): string =>
  stringify({
    resources: ['release'],
    images: [{ name: `localhost:5000/${platform.name}/${service}`, newTag: 'latest' }],
  });
