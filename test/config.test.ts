import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { least } from './support/configuration.ts';

const bin = fileURLToPath(new URL('../bin/gitops.js', import.meta.url));
const example = fileURLToPath(new URL('../examples/brainsait-rcm/gitops.yaml', import.meta.url));

/** `gitops config …` as a shell runs it, without a single system there. */
async function config(...args: string[]) {
  const { stdout, stderr, exitCode } = await execa(process.execPath, [bin, 'config', ...args], {
    env: { GITOPS_CONFIG: '', TEMPORAL_ADDRESS: '127.0.0.1:9', FORGE_TOKEN: 'sesame', NO_COLOR: '1' },
    reject: false,
    timeout: 30_000,
  });
  return { stdout, stderr, exitCode };
}

function file(content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'gitops-config-')), 'gitops.yaml');
  writeFileSync(path, content);
  return path;
}

test('the example is valid, and so are its folders', async () => {
  expect(await config('validate', '--config', example)).toMatchObject({
    exitCode: 0,
    stdout: `${example} is valid.`,
  });
});

test('a variable that is not set is told and no problem, since CI has no secrets', async () => {
  const login = { username: 'bot', password: 'env:TEST_NOBODY_SET' };
  const path = file(stringify({ ...least, registry: { ...least.registry, login } }));
  const { exitCode, stdout, stderr } = await config('validate', '--config', path);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(`${path} is valid.`);
  expect(stderr.split('\n')[0]).toMatch(
    /gitops\.yaml:\d+:15: registry\.login\.password: env:TEST_NOBODY_SET is not set here: set it where it is needed/,
  );
  const json = await config('validate', '--config', path, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({
    valid: true,
    warnings: expect.arrayContaining([
      expect.objectContaining({ path: 'registry.login.password', column: 15 }),
    ]) as unknown,
  });
});

test('what is wrong is told with file and line, and ends with 2', async () => {
  const path = file(stringify({ ...least, forge: { ...least.forge, kind: 'gitlab' }, platfrom: 'x' }));
  const { exitCode, stdout } = await config('validate', '--config', path);
  expect(exitCode).toBe(2);
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(
      /gitops\.yaml:5:9: forge\.kind: "gitlab" is not allowed here: it takes gitea or github/,
    ),
    expect.stringMatching(/gitops\.yaml:\d+:1: platfrom: there is no such key\. Allowed here: platform, /),
  ]);
  const json = await config('validate', '--config', path, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({
    valid: false,
    problems: [
      { path: 'forge.kind', line: 5, column: 9 },
      { path: 'platfrom', column: 1 },
    ],
  });
});

test('folders that do not fit are told as well, and so is that there are none', async () => {
  const path = file(stringify(least));
  const alone = await config('validate', '--config', path);
  expect(alone).toMatchObject({ exitCode: 0, stdout: `${path} is valid.` });
  expect(alone.stderr).toContain('--checkout says where the repository is');

  const folder = join(path, '..', 'services', 'claims');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\n');
  const { exitCode, stdout } = await config('validate', '--config', path);
  expect(exitCode).toBe(2);
  expect(stdout.split('\n')).toEqual([
    'manifests/claims/base: has no kustomization.yaml: write the manifests of claims there',
    expect.stringMatching(/^manifests\/claims\/overlays\/dev: has no kustomization\.yaml/),
    expect.stringMatching(/^manifests\/claims\/overlays\/production: has no kustomization\.yaml/),
  ]);
  expect(await config('validate', '--config', path, '--checkout', '/nowhere')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('--checkout /nowhere cannot be read'),
  });
});

test('a configuration is shown with its defaults and services, and without any secret', async () => {
  const { exitCode, stdout } = await config('show', '--config', example);
  expect(exitCode).toBe(0);
  expect(stdout).not.toContain('sesame');
  expect(stdout).toMatch(
    /#\s+claims-scrubbing: services\/claims-scrubbing; image localhost:5000\/brainsait\/claims-scrubbing;/,
  );
  // What is shown is itself a configuration that says the same.
  expect(parse(stdout)).toMatchObject({
    forge: { token: 'env:FORGE_TOKEN' },
    environments: [{ sync: 'automated', healthy: '15m' }, { approval: 'review' }, { sync: 'manual' }],
  });
  const again = file(stdout);
  expect((await config('validate', '--config', again)).stdout).toBe(`${again} is valid.`);

  const json = await config('show', '--config', example, '--json');
  const shown = z
    .object({ services: z.array(z.object({ name: z.string() })) })
    .parse(JSON.parse(json.stdout));
  expect(shown.services.map(({ name }) => name).toSorted()).toEqual([
    'api',
    'claims-scrubbing',
    'fhir-gateway',
    'platform',
    'web',
  ]);
});

test('a missing or broken configuration ends every command with 2', async () => {
  const missing = await config('show', '--config', '/nowhere/gitops.yaml');
  expect(missing).toMatchObject({ exitCode: 2, stdout: '' });
  expect(missing.stderr).toMatch(/cannot be read \(ENOENT\)\. --config or GITOPS_CONFIG/);
  const broken = await config('show', '--config', file('platform: [\n'), '--json');
  expect(broken.exitCode).toBe(2);
  expect(JSON.parse(broken.stdout)).toMatchObject({ error: { kind: 'usage' } });
});

test('the schema is one that editors read, with a description and the default of what may be left out', async () => {
  const { exitCode, stdout } = await config('schema');
  expect(exitCode).toBe(0);
  const schema: unknown = JSON.parse(stdout);
  expect(schema).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    additionalProperties: false,
    required: expect.arrayContaining(['platform', 'repository', 'environments']),
    properties: {
      repository: { properties: { branch: { default: 'main', description: expect.any(String) } } },
    },
  });
  // Read back by zod, it takes the example and refuses what the configuration's own reader refuses.
  const readBack = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  expect(readBack.safeParse(least).success).toBe(true);
  expect(readBack.safeParse({ ...least, platfrom: 'x' }).success).toBe(false);
  expect(readBack.safeParse({ ...least, platform: '../prod' }).success).toBe(false);
});
