// What the example platform finds on a fresh stack: accounts, its repository with rules, and Argo CD's roots.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { make } from './artifacts.ts';
import { sealedSecretsManifest, tools } from './binaries.ts';
import { kubectl } from './control-plane.ts';
import { forgeApi, type ForgeApi } from './forge-api.ts';
import { forgeUrl } from './gitea.ts';
import { example, ports } from './paths.ts';
import { run } from './run.ts';
import { hasBackup } from './s3.ts';
import { keepSecret, secret, storedSecret } from './secrets.ts';
import { until } from './until.ts';

const organization = 'brainsait';
export const repository = `${organization}/brainsait-rcm`;
export const repositoryPage = `${forgeUrl}/${repository}`;
export const repositoryUrl = `${repositoryPage}.git`;

/** Accounts are named by what they do. */
const bot = 'gitops';
const people = ['developer', 'reviewer', 'board-1', 'board-2'];
const scopes = ['write:repository', 'write:issue', 'read:organization', 'read:user'];

export async function seedForge(): Promise<void> {
  const admin = forgeApi(`token ${storedSecret('forge-admin.token') ?? ''}`);
  for (const login of [bot, ...people]) await ensureAccount(admin, login);
  await admin.call('POST', '/orgs', { username: organization, visibility: 'private' }, [422]);
  const made = await admin.call(
    'POST',
    `/orgs/${organization}/repos`,
    { name: 'brainsait-rcm', private: true, default_branch: 'main' },
    [409],
  );
  for (const login of [bot, ...people]) {
    await admin.call('PUT', `/repos/${repository}/collaborators/${login}`, { permission: 'write' });
  }
  if (made.status === 201 || (await isEmpty(admin))) await pushExample();
  await protect(admin);
  await ensureWebhook(admin);
  await ensureLabel(admin);
}

async function ensureAccount(admin: ForgeApi, login: string): Promise<void> {
  const name = `forge-${login}.token`;
  if (storedSecret(name) !== undefined) return;
  const password = secret(`forge-${login}-password`);
  const account = { username: login, email: `${login}@example.com`, password, must_change_password: false };
  await admin.call('POST', '/admin/users', account, [422]);
  const own = forgeApi(`Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`);
  // A token of that name whose value was lost with a killed process is of no use.
  await own.call('DELETE', `/users/${login}/tokens/stack`, undefined, [404]);
  const { body } = await own.call('POST', `/users/${login}/tokens`, { name: 'stack', scopes });
  keepSecret(name, String(body['sha1']));
}

async function isEmpty(admin: ForgeApi): Promise<boolean> {
  const { body } = await admin.call('GET', `/repos/${repository}`);
  return body['empty'] === true;
}

const controllerFolder = 'infrastructure/kubernetes/cluster/sealed-secrets';

/** The example's folder, and the manifest of what it installs, as the one commit that a platform team would begin with. */
async function pushExample(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-seed-'));
  const git = (args: string[], env: Record<string, string> = {}) =>
    run('git', ['-C', folder, ...args], { env: { ...identity, ...env } });
  try {
    await make(tools['sealed-secrets']);
    await run('cp', ['--archive', `${example}/.`, folder]);
    mkdirSync(join(folder, controllerFolder), { recursive: true });
    copyFileSync(sealedSecretsManifest(), join(folder, controllerFolder, 'controller.yaml'));
    await git(['init', '--quiet', '--initial-branch=main']);
    await git(['add', '--all']);
    await git(['commit', '--quiet', '--message', 'The platform as it stands']);
    await git(['push', '--quiet', repositoryUrl, 'main'], withToken('admin'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The developer, in the eyes of Git. */
export const identity = {
  GIT_AUTHOR_NAME: 'Developer',
  GIT_AUTHOR_EMAIL: 'developer@example.com',
  GIT_COMMITTER_NAME: 'Developer',
  GIT_COMMITTER_EMAIL: 'developer@example.com',
};

/** Git's settings for an account; a token in an argument could be read by all. */
export function withToken(login: string): Record<string, string> {
  const credentials = Buffer.from(`token:${storedSecret(`forge-${login}.token`) ?? ''}`).toString('base64');
  return {
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${forgeUrl}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${credentials}`,
  };
}

/** Reviews count when they are a reviewer's or the board's; only the bot and developers push and merge. */
async function protect(admin: ForgeApi): Promise<void> {
  const rules = {
    rule_name: 'main',
    enable_push: true,
    enable_push_whitelist: true,
    push_whitelist_usernames: [bot, 'developer'],
    enable_merge_whitelist: true,
    merge_whitelist_usernames: [bot, 'developer'],
    enable_approvals_whitelist: true,
    approvals_whitelist_username: ['reviewer', 'board-1', 'board-2'],
    required_approvals: 0,
    dismiss_stale_approvals: true,
    ignore_stale_approvals: true,
    block_on_rejected_reviews: true,
  };
  // Just after the first push the forge does not know its branch yet.
  await until({
    failing: 'The forge does not show the branch main, which was pushed',
    missing: async () => {
      const answer = await admin.call('GET', `/repos/${repository}/branches/main`, undefined, [404, 500]);
      return answer.status === 200 ? undefined : `${answer.status} ${JSON.stringify(answer.body)}`;
    },
    seconds: 30,
  });
  const { status } = await admin.call(
    'POST',
    `/repos/${repository}/branch_protections`,
    rules,
    [403, 409, 422],
  );
  if (status !== 201) await admin.call('PATCH', `/repos/${repository}/branch_protections/main`, rules);
}

async function ensureWebhook(admin: ForgeApi): Promise<void> {
  const url = `http://127.0.0.1:${ports.server}/webhooks/forge`;
  const { body } = await admin.call('GET', `/repos/${repository}/hooks`);
  if (JSON.stringify(body).includes(url)) return;
  await admin.call('POST', `/repos/${repository}/hooks`, {
    type: 'gitea',
    active: true,
    events: ['push', 'pull_request', 'pull_request_review', 'pull_request_sync'],
    config: { url, content_type: 'json', secret: secret('webhook-secret') },
  });
}

async function ensureLabel(admin: ForgeApi): Promise<void> {
  const { body } = await admin.call('GET', `/repos/${repository}/labels`);
  if (JSON.stringify(body).includes('"production-release"')) return;
  await admin.call('POST', `/repos/${repository}/labels`, { name: 'production-release', color: '#b60205' });
}

/**
 * Argo CD may read the repository, and knows one root an environment. A cluster that was lost gets no roots where there
 * is a backup: they would deploy what `gitops recreate-cluster` brings back in its order.
 */
export async function seedArgocd(): Promise<void> {
  const apply = ['apply', '--server-side', '--force-conflicts', '--field-manager=gitops-stack', '-f'];
  await kubectl([...apply, '-'], { input: JSON.stringify(repositorySecret()) });
  if (await hasBackup()) return;
  const roots = join(example, 'infrastructure/gitops/argocd/roots');
  await kubectl([...apply, join(roots, 'project.yaml')]);
  await kubectl([...apply, roots]);
}

const repositorySecret = () => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'repository-brainsait-rcm',
    namespace: 'argocd',
    labels: { 'argocd.argoproj.io/secret-type': 'repository' },
  },
  stringData: {
    type: 'git',
    url: repositoryUrl,
    username: bot,
    password: storedSecret(`forge-${bot}.token`) ?? '',
  },
});
