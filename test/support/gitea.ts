import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { z } from 'zod';
import { configSchema, type Config } from '../../src/config/schema.ts';
import { createGiteaForge } from '../../src/systems/forge/gitea.ts';
import type { Forge } from '../../src/systems/forge/index.ts';

type User = 'bot' | 'reviewer' | 'developer' | 'stranger';

/** A repository of its own on the stack's Gitea, with people who may and may not. */
export interface GiteaRepository {
  url: string;
  owner: string;
  name: string;
  /** As the bot sees it. */
  forge: Forge;
  token(user: User): string;
  login(user: User): string;
  /** Any call of the REST API below this repository; without a user as the administrator. */
  api(method: string, path: string, body?: object, user?: User): Promise<unknown>;
  /** Commits one new file on a branch, which is made from main when it is new. @returns the commit */
  commit(branch: string, file: string, content: string, from?: 'new' | 'existing'): Promise<string>;
  /** A developer's commit of several files to main: new, changed, or (null) removed. @returns its hash */
  write(files: Record<string, string | null>, message?: string): Promise<string>;
  /** Somebody with the right to it pushes main, by force: what came after the commit is gone. */
  rewrite(commit: string): Promise<void>;
  /** Somebody with the right to it merges a pull request by hand. */
  merge(number: number): Promise<void>;
  review(number: number, user: User, event: 'APPROVED' | 'REQUEST_CHANGES', commit: string): Promise<number>;
  /** A configuration that delivers from here, as the bot; its secrets are in this process's environment. */
  config(platform: string, changes?: object): Config;
  remove(): Promise<void>;
}

/** A service `api`, and three environments: by push, by review, by decisions. */
const platformFiles: Record<string, string> = {
  'services/api/Dockerfile': 'FROM scratch\n',
  'deploy/api/base/kustomization.yaml': 'resources: []\n',
  'deploy/api/overlays/staging/kustomization.yaml': 'resources: [release]\n',
  'deploy/api/overlays/production/kustomization.yaml': 'resources: [release]\n',
};

/** The forge refuses who loses against somebody that pushes at the same time: people try again. */
async function untilTaken<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 100) throw error;
      await delay(200);
    }
  }
}

const committed = (answer: unknown): string =>
  z.object({ commit: z.object({ sha: z.string() }) }).parse(answer).commit.sha;

const adminToken = (): string =>
  process.env['FORGE_ADMIN_TOKEN'] ?? readFileSync('.stack/secrets/forge-admin.token', 'utf8').trim();

export async function makeGiteaRepository(files = platformFiles): Promise<GiteaRepository> {
  const url = process.env['FORGE_URL'] ?? 'http://10.87.0.1:3000';
  const id = randomBytes(4).toString('hex');
  const [owner, name] = [`org-${id}`, `repository-${id}`];
  const login = (user: User) => `${user}-${id}`;
  const tokens = new Map<User, string>();

  async function call(method: string, path: string, authorization: string, body?: object): Promise<unknown> {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
  const admin = (method: string, path: string, body?: object) =>
    call(method, path, `token ${adminToken()}`, body);
  const api: GiteaRepository['api'] = (method, path, body, user) =>
    call(method, `/repos/${owner}/${name}${path}`, `token ${user ? tokens.get(user) : adminToken()}`, body);

  async function makeUser(user: User): Promise<void> {
    const password = randomBytes(16).toString('hex');
    const email = `${login(user)}@example.com`;
    await admin('POST', '/admin/users', {
      username: login(user),
      password,
      email,
      must_change_password: false,
    });
    const basic = `Basic ${Buffer.from(`${login(user)}:${password}`).toString('base64')}`;
    const scopes = ['write:repository', 'write:issue'];
    const token = await call('POST', `/users/${login(user)}/tokens`, basic, { name: 'test', scopes });
    tokens.set(user, z.object({ sha1: z.string() }).parse(token).sha1);
  }

  async function blobAt(path: string): Promise<string | undefined> {
    const found = await api('GET', `/contents/${path}?ref=main`).catch(() => undefined);
    return z.object({ sha: z.string() }).safeParse(found).data?.sha;
  }

  await admin('POST', '/orgs', { username: owner });
  await admin('POST', `/orgs/${owner}/repos`, { name, auto_init: true, default_branch: 'main' });
  const users: [User, string][] = [
    ['bot', 'write'],
    ['reviewer', 'write'],
    ['developer', 'write'],
    ['stranger', 'read'],
  ];
  for (const [user, permission] of users) {
    await makeUser(user);
    await api('PUT', `/collaborators/${login(user)}`, { permission });
  }

  await api('POST', '/contents', {
    branch: 'main',
    message: 'Begin',
    files: Object.entries(files).map(([path, content]) => ({
      operation: 'create',
      path,
      content: Buffer.from(content).toString('base64'),
    })),
  });

  return {
    url,
    owner,
    name,
    forge: createGiteaForge({ url, owner, name, token: () => tokens.get('bot') ?? '' }),
    token: (user) => tokens.get(user) ?? '',
    login,
    api,

    commit(branch, file, content, from = 'new') {
      const commit = {
        content: Buffer.from(content).toString('base64'),
        message: `Write ${file}`,
        ...(branch === 'main' || from === 'existing' ? { branch } : { branch: 'main', new_branch: branch }),
      };
      return untilTaken(async () => committed(await api('POST', `/contents/${file}`, commit, 'developer')));
    },

    write: (files, message = 'Write files') =>
      untilTaken(async () => {
        const changes = Object.entries(files).map(async ([path, content]) => {
          const sha = await blobAt(path);
          const operation = content === null ? 'delete' : sha === undefined ? 'create' : 'update';
          const encoded = content === null ? {} : { content: Buffer.from(content).toString('base64') };
          return { operation, path, sha, ...encoded };
        });
        const commit = { branch: 'main', message, files: await Promise.all(changes) };
        return committed(await api('POST', '/contents', commit, 'developer'));
      }),

    async rewrite(commit) {
      const folder = await mkdtemp(join(tmpdir(), 'rewrite-'));
      try {
        const secret = `http.extraHeader=Authorization: token ${adminToken()}`;
        const git = (...args: string[]) => execa('git', ['-c', secret, ...args], { cwd: folder });
        await git('clone', '--quiet', '--bare', `${url}/${owner}/${name}.git`, '.');
        await git('push', '--quiet', '--force', 'origin', `${commit}:refs/heads/main`);
      } finally {
        await rm(folder, { recursive: true });
      }
    },

    async merge(number) {
      await untilTaken(() => api('POST', `/pulls/${number}/merge`, { Do: 'merge' }));
    },

    async review(number, user, event, commit_id) {
      const answer = await api('POST', `/pulls/${number}/reviews`, { event, commit_id, body: 'seen' }, user);
      // The forge dismisses stale reviews a quarter of a second later; let what was said settle.
      await delay(50);
      return z.object({ id: z.number() }).parse(answer).id;
    },

    config: (platform, changes = {}) => {
      process.env['TEST_FORGE_TOKEN'] = tokens.get('bot');
      process.env['TEST_WEBHOOK_SECRET'] = `secret-${id}`;
      return configSchema.parse({
        platform,
        repository: { url: `${url}/${owner}/${name}.git`, token: 'env:TEST_FORGE_TOKEN' },
        forge: {
          kind: 'gitea',
          url,
          token: 'env:TEST_FORGE_TOKEN',
          webhookSecret: 'env:TEST_WEBHOOK_SECRET',
          deliverOnPush: true,
        },
        registry: { image: 'registry.example/{service}' },
        objects: { bucket: 'unused' },
        manifests: 'deploy/{service}',
        services: { discover: ['services/*'] },
        environments: [
          { name: 'staging', approval: 'review' },
          { name: 'production', approval: { quorum: 1 }, sync: 'manual' },
        ],
        identity: 'trusted-namespace',
        people: {
          developer: { emails: [`${login('developer')}@example.com`] },
          board: { emails: ['board@example.com'] },
        },
        ...changes,
      });
    },

    async remove() {
      await admin('DELETE', `/repos/${owner}/${name}`);
      await admin('DELETE', `/orgs/${owner}`);
      for (const user of tokens.keys()) await admin('DELETE', `/admin/users/${login(user)}?purge=true`);
    },
  };
}
