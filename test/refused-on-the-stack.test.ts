import { createHash, createHmac, randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { makePlatform, type Platform } from './support/platform.ts';

/** On two busy cores a build and a rollout may take minutes. */
const patience = 240_000;

let platform: Platform;
beforeAll(async () => {
  platform = await makePlatform(['claims']);
  await Promise.all([platform.worker.start(), platform.server.start()]);
  return () => platform.remove();
}, patience);

const idOf = (answer: unknown): number => z.object({ number: z.number() }).parse(answer).number;

/** Nothing was written, opened or built. */
async function expectNoEffect(): Promise<void> {
  const commits = z.array(z.object({ commit: z.object({ message: z.string() }) }));
  const all = commits.parse(await platform.gitea.api('GET', '/commits?sha=main&limit=50'));
  expect(all.filter(({ commit: { message } }) => message.startsWith('release:'))).toEqual([]);
  expect(await platform.pullRequests('claims', 'staging')).toEqual([]);
}

async function failure(commit: string, image?: string): Promise<string | undefined> {
  const { change } = await platform.gitops.deliver({
    service: 'claims',
    commit,
    ...(image !== undefined && { image }),
  });
  const { state, reason } = await platform.gitops.wait(change);
  expect(state).toBe('failed');
  return reason;
}

/** Puts an image of nothing into the registry. @returns its digest */
async function pushImage(name: string, labels: Record<string, string>): Promise<string> {
  const [host = '', ...path] = name.split('/');
  const root = `http://${host}/v2/${path.join('/')}`;
  const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const put = async (url: URL, body: string, type: string) => {
    const { status } = await fetch(url, { method: 'PUT', body, headers: { 'content-type': type } });
    expect(status).toBe(201);
  };
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: labels },
    rootfs: { type: 'layers', diff_ids: [] },
    made: randomUUID(),
  });
  const upload = await fetch(`${root}/blobs/uploads/`, { method: 'POST' });
  const where = new URL(upload.headers.get('location') ?? '', root);
  where.searchParams.set('digest', digestOf(config));
  await put(where, config, 'application/octet-stream');
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config),
      size: config.length,
    },
    layers: [],
  });
  const digest = digestOf(manifest);
  await put(new URL(`${root}/manifests/${digest}`), manifest, 'application/vnd.oci.image.manifest.v1+json');
  return digest;
}

test(
  'a name or a commit that is not there is refused before anything is started',
  { timeout: patience },
  async () => {
    const { gitea } = platform;
    const deliver = (service: string, commit: string) =>
      platform.command('deliver', '--service', service, '--commit', commit, '--wait');
    const refusedWith = (message: string) => ({ exitCode: 2, stdout: '', stderr: `gitops: ${message}` });
    const notOnMain = (commit: string) =>
      refusedWith(`${commit} is not on main. Merge it first; only commits of main are delivered.`);

    expect(await deliver('claims', 'f'.repeat(40))).toMatchObject(notOnMain('f'.repeat(40)));
    const side = await gitea.commit('feature', 'services/claims/side.txt', 'side\n');
    expect(await deliver('claims', side)).toMatchObject(notOnMain(side));
    expect(await platform.command('deliver', '--all', '--commit', side)).toMatchObject(notOnMain(side));

    const opened = await gitea.api(
      'POST',
      '/pulls',
      { base: 'main', head: 'feature', title: 'Side' },
      'developer',
    );
    await gitea.merge(idOf(opened));
    const main = await gitea.api('GET', '/branches/main');
    const merge = z.object({ commit: z.object({ id: z.string() }) }).parse(main).commit.id;
    expect(await deliver('claims', side)).toMatchObject(
      refusedWith(`${side} came to main by the merge ${merge}. Deliver that one.`),
    );
    expect(await deliver('nobody', merge)).toMatchObject(
      refusedWith('There is no service nobody. There are: claims. See services in gitops.yaml.'),
    );
    const unknown = await platform.command('deliver', '--changed-since', 'f'.repeat(40));
    expect(unknown).toMatchObject({ exitCode: 2, stdout: '' });
    expect(unknown.stderr).toContain(`gitops deliver --service <name> --commit ${merge}`);
    for (const command of ['status', 'retry', 'cancel', 'nudge', 'approve']) {
      const missing = await platform.command(
        command,
        `nobody/${merge}`,
        ...(command === 'approve' ? ['--as', 'board-1'] : []),
      );
      expect({ command, ...missing }).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining(`Nothing is known of nobody/${merge}.`) as string,
      });
    }
    expect((await platform.gitops.list()).changes).toEqual([]);
    await expectNoEffect();
  },
);

test('an image that CI did not build from the commit is refused', { timeout: patience }, async () => {
  const commit = await platform.commit('claims');
  const name = `localhost:5000/${platform.name}/claims`;
  const label = 'org.opencontainers.image.revision';
  const none = `sha256:${'0'.repeat(64)}`;
  const unlabelled = await pushImage(name, {});
  const others = await pushImage(name, { [label]: 'f'.repeat(40) });

  const byTag = await platform.command(
    'deliver',
    '--service',
    'claims',
    '--commit',
    commit,
    '--image',
    `${name}:latest`,
  );
  expect(byTag).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('a tag may move') as string });
  expect(await failure(commit, `elsewhere.example/claims@${none}`)).toMatch(
    /is not where images of claims come from/,
  );
  expect(await failure(commit, `${name}@${none}`)).toMatch(/^The registry has no .* Push it first\.$/);
  expect(await failure(commit, `${name}@${unlabelled}`)).toMatch(/labelled as revision \(none\), not /);
  expect(await failure(commit, `${name}@${others}`)).toMatch(/labelled as revision f{40}, not /);
  await expectNoEffect();
});

test('a webhook that the forge did not sign starts nothing', async () => {
  const hooks = z.array(z.object({ config: z.object({ url: z.string() }) }));
  const [hook] = hooks.parse(await platform.gitea.api('GET', '/hooks'));
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    repository: { full_name: `${platform.gitea.owner}/${platform.gitea.name}` },
  });
  const sign = (key: string, text = body) => createHmac('sha256', key).update(text).digest('hex');
  const secret = process.env['TEST_WEBHOOK_SECRET'] ?? '';
  const id = randomUUID();
  const send = (headers: Record<string, string>) =>
    fetch(hook?.config.url ?? '', {
      method: 'POST',
      body,
      headers: { 'x-gitea-event': 'push', 'x-gitea-delivery': id, ...headers },
    });
  for (const signature of [sign('other'), sign(secret, `${body} `), sign(secret).slice(0, 40), '']) {
    expect((await send({ 'x-gitea-signature': signature })).status).toBe(401);
  }
  expect((await send({})).status).toBe(401);
  expect((await send({ 'x-gitea-signature': sign(secret) })).status).toBe(202);
  expect((await send({ 'x-gitea-signature': sign(secret) })).status).toBe(409);
  await expectNoEffect();
});

test(
  'a subject of a commit takes no effect on terminals, in pull requests or in messages',
  { timeout: patience },
  async () => {
    const evil = '\u001b[31mred\u202e **bold** <!channel> @board ![x](http://evil.example/x.png)';
    const commit = await platform.gitea.write({ 'services/claims/change.txt': 'x\n' }, evil);
    const change = `claims/${commit}`;
    await platform.gitops.deliver({ service: 'claims', commit });
    const waiting = await platform.sees(
      change,
      { environments: { staging: { state: 'waiting' } } },
      patience,
    );

    const control = /[\p{Cc}\p{Cf}]/u;
    const { stdout, stderr } = await platform.command('status', change);
    expect(stdout).toContain('**bold**');
    expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(control);
    const number = waiting.environments['staging']?.pullRequest?.number ?? 0;
    const shown = z
      .object({ title: z.string(), body: z.string() })
      .parse(await platform.gitea.api('GET', `/pulls/${number}`));
    expect(shown.title).toBe(`Release claims ${commit.slice(0, 12)} to staging`);
    expect(shown.body.replaceAll('\n', '')).not.toMatch(control);
    // All of it stands in code, where nothing of it is markup, a picture or a mention.
    expect(shown.body.replaceAll(/`[^`\n]*`/g, '')).not.toMatch(/evil\.example|@board|<!channel>|\*\*bold/);

    const [release = ''] = await platform.releaseCommits('claims', 'dev');
    const { message } = z
      .object({ commit: z.object({ message: z.string() }) })
      .parse(await platform.gitea.api('GET', `/git/commits/${release}`)).commit;
    expect(message).toContain('**bold**');
    expect(message.replaceAll('\n', '')).not.toMatch(control);
  },
);

test(
  'a release is not written where base/ does not name its image, and says which images are there',
  { timeout: patience },
  async () => {
    const before = await platform.releaseCommits('claims', 'dev');
    const right = `localhost:5000/${platform.name}/claims`;
    const wrong = `registry.local/${platform.name}/claims:1.0`;
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'claims' },
      spec: {
        selector: { matchLabels: { app: 'claims' } },
        template: {
          metadata: { labels: { app: 'claims' } },
          spec: { containers: [{ name: 'app', image: wrong }] },
        },
      },
    };
    const commit = await platform.gitea.write({
      'deploy/claims/base/deployment.yaml': JSON.stringify(deployment),
    });
    expect(await failure(commit)).toBe(
      `base/ of claims does not name the image ${right}: its images are ${wrong}. To have it run, write image: ${right} there, without a tag.`,
    );
    expect(await platform.releaseCommits('claims', 'dev')).toEqual(before);
  },
);
