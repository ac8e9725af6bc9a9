import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test as base } from 'vitest';
import type { Manifest } from '../../model/manifests.ts';
import { build } from './build.ts';
import type { Rendering } from './index.ts';
import { diffManifests } from './diff.ts';
import { parseManifests } from './parse.ts';

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: claims}
spec:
  template:
    spec:
      containers: [{name: app, image: registry/claims}]
`;

interface Checkout {
  root: string;
  write(files: Record<string, string>): Promise<void>;
  render(rendering?: Partial<Rendering>): Promise<Manifest[]>;
}

/** A checkout with an overlay that includes a base. */
const test = base.extend<{ checkout: Checkout }>({
  checkout: async ({}, use) => {
    const root = await realpath(await mkdtemp(join(tmpdir(), 'kustomize-')));
    const write = async (files: Record<string, string>): Promise<void> => {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(root, name)), { recursive: true });
        await writeFile(join(root, name), content);
      }
    };
    await write({
      'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
      'base/deployment.yaml': deployment,
      'overlay/kustomization.yaml': 'namespace: dev\nresources: [../base]\n',
    });
    const render = async (rendering: Partial<Rendering> = {}) =>
      parseManifests(await build({ root, path: 'overlay', ...rendering }, AbortSignal.timeout(20_000)));
    await use({ root, write, render });
    await rm(root, { recursive: true });
  },
});

test('an overlay is rendered with its base', async ({ checkout }) => {
  const [claims, ...others] = await checkout.render();
  expect(others).toEqual([]);
  expect(claims).toMatchObject({ kind: 'Deployment', namespace: 'dev', name: 'claims' });
});

test('the Application’s own settings are followed as Argo CD follows them', async ({ checkout }) => {
  const [claims] = await checkout.render({
    overrides: {
      namePrefix: 'a-',
      nameSuffix: '-z',
      namespace: 'other',
      images: ['registry/claims=mirror/claims:1'],
      replicas: [{ name: 'claims', count: 3 }],
      commonLabels: { team: 'rcm' },
      labelWithoutSelector: true,
      commonAnnotations: { note: 'x' },
    },
  });
  expect(claims?.object).toMatchObject({
    metadata: { name: 'a-claims-z', namespace: 'other', labels: { team: 'rcm' }, annotations: { note: 'x' } },
    spec: { replicas: 3, template: { spec: { containers: [{ image: 'mirror/claims:1' }] } } },
  });
});

test.for([
  { version: 'v4.0.0' },
  { patches: [{ patch: '[]' }] },
  { commonAnnotations: { revision: '$ARGOCD_APP_REVISION' } },
])('settings that cannot be followed are refused: %j', async (overrides, { checkout }) => {
  await expect(checkout.render({ overrides })).rejects.toThrow('spec.source.kustomize of the Application');
});

test.for(['--enable-helm', '--enable-alpha-plugins', '--network', '--load-restrictor=LoadRestrictionsNone'])(
  'a build option that reaches out is refused: %s',
  async (option, { checkout }) => {
    await expect(checkout.render({ options: [option] })).rejects.toThrow('kustomize.buildOptions');
  },
);

test('harmless build options are passed on', async ({ checkout }) => {
  const options = ['--load-restrictor', 'LoadRestrictionsRootOnly', '--reorder=legacy'];
  expect(await checkout.render({ options })).toHaveLength(1);
});

test.for([
  'resources: ["https://example.com/base.yaml"]',
  'resources: ["github.com/example/repository//base?ref=main"]',
  'resources: ["git::ssh://git@example.com/base"]',
  'resources: [../../../etc]',
  'resources: [/etc/hostname]',
  'components: ["https://example.com/component"]',
  'resources: [../base]\npatches: [{path: "https://example.com/patch.yaml"}]',
  'configMapGenerator: [{name: a, files: [key=/etc/passwd]}]',
  'secretGenerator: [{name: a, envs: [../../../../etc/environment]}]',
  'openapi: {path: "https://example.com/schema.json"}',
  'transformers: ["https://example.com/transformer.yaml"]',
  'helmCharts: [{name: redis}]',
])('what comes from elsewhere is refused: %s', async (kustomization, { checkout }) => {
  await checkout.write({ 'overlay/kustomization.yaml': kustomization });
  await expect(checkout.render()).rejects.toThrow(/overlay\/kustomization.yaml/);
});

test('a remote base of a base is refused too', async ({ checkout }) => {
  await checkout.write({ 'base/kustomization.yaml': 'resources: ["https://example.com/base.yaml"]' });
  await expect(checkout.render()).rejects.toThrow(
    'base/kustomization.yaml names https://example.com/base.yaml',
  );
});

test('a symbolic link out of the repository is refused', async ({ checkout }) => {
  await symlink('/etc', join(checkout.root, 'overlay/link'));
  await checkout.write({
    'overlay/kustomization.yaml': 'configMapGenerator: [{name: a, files: [link/hostname]}]',
  });
  await expect(checkout.render()).rejects.toThrow('lies outside the repository');
});

test.for(['overlay/kustomization.yaml', 'base/kustomization.yaml', 'base/deployment.yaml'])(
  'a file of this machine that %s leads to is neither read, written nor quoted',
  async (file, { checkout }) => {
    const root = await mkdtemp(join(tmpdir(), 'elsewhere-'));
    const outside = join(root, 'file');
    await writeFile(outside, 'a: [ hunter2\n');
    await rm(join(checkout.root, file));
    await symlink(outside, join(checkout.root, file));
    for (const overrides of [{}, { namePrefix: 'a-' }]) {
      const error = await checkout.render({ overrides }).catch((thrown: unknown) => String(thrown));
      expect(error).toMatch(/out of the repository|outside the repository/);
      expect(error).not.toContain('hunter2');
    }
    expect(await readFile(outside, 'utf8')).toBe('a: [ hunter2\n');
    await rm(root, { recursive: true });
  },
);

test('a link that stays in the repository is followed, as Argo CD does', async ({ checkout }) => {
  await rm(join(checkout.root, 'base/deployment.yaml'));
  await checkout.write({ 'base/real.yaml': deployment });
  await symlink('real.yaml', join(checkout.root, 'base/deployment.yaml'));
  expect(await checkout.render()).toHaveLength(1);
});

test.for([
  ['documents after the first', '---\nresources: [../base]\n---\n# nothing\n---\na: [\n'],
  ['a key twice, of which the last counts', 'resources: [nothing]\nresources: [../base]\n'],
  [
    'JSON in place of a patch’s path',
    `resources: [../base]\npatchesStrategicMerge:\n- '${JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'claims' }, spec: { replicas: 2 } })}'\n`,
  ],
])('%s: it is taken as Kustomize takes it', async ([, kustomization = ''], { checkout }) => {
  await checkout.write({ 'overlay/kustomization.yaml': kustomization });
  expect((await checkout.render()).map(({ kind }) => kind)).toEqual(['Deployment']);
});

test('what a kustomization holds is not quoted when it cannot be read: it may be a secret', async ({
  checkout,
}) => {
  for (const content of [
    'secretGenerator: [{ literals: [password=hunter2] }\n',
    'resources: [../base]\npatches:\n- patch: "{stringData: {password: hunter2}}"\n',
    'resources: [../base]\npatchesStrategicMerge: ["{stringData: {password: hunter2}}"]\n',
  ]) {
    await checkout.write({ 'overlay/kustomization.yaml': content });
    const error = await checkout.render().catch((thrown: unknown) => String(thrown));
    expect(error).toMatch(/is no YAML|kustomize build failed/);
    expect(error).not.toContain('hunter2');
  }
});

test('inline patches and URLs in values are nobody’s paths', async ({ checkout }) => {
  await checkout.write({
    'overlay/kustomization.yaml': `resources: [../base]
configMapGenerator: [{name: a, literals: ["URL=https://example.com/x"]}]
patches:
- patch: |-
    - {op: add, path: /metadata/annotations, value: {url: "https://example.com/y"}}
  target: {kind: Deployment}
`,
  });
  expect(await checkout.render()).toHaveLength(2);
});

test.for([
  '---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../base]\n---\n',
  `resources: [../base]
patchesStrategicMerge:
  - '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"claims"},"spec":{"replicas":2}}'
`,
  'resources: [nothing.yaml]\nresources: [../base]\n',
])('what Kustomize takes is rendered: %j', async (kustomization, { checkout }) => {
  await checkout.write({ 'overlay/kustomization.yaml': kustomization });
  expect(await checkout.render()).toHaveLength(1);
});

test('a kustomization that cannot be built says why, without this machine’s paths', async ({ checkout }) => {
  await checkout.write({ 'base/deployment.yaml': 'no object' });
  const error = await checkout.render().catch((error: unknown) => String(error));
  expect(error).toContain('kustomize build failed');
  expect(error).not.toContain(checkout.root);
});

test('a folder without a kustomization says so', async ({ checkout }) => {
  await expect(checkout.render({ path: 'nothing' })).rejects.toThrow('There is no kustomization in nothing.');
});

test('a difference is read object by object, deleted ones first', async ({ checkout }) => {
  const object = (name: string, data: object): Manifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: 'dev',
    name,
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data },
  });
  const scratch = join(checkout.root, 'scratch');
  await mkdir(scratch);
  const before = [object('changed', { a: '1', b: '2' }), object('gone', {}), object('same', {})];
  const after = [object('added', {}), object('changed', { a: '1', b: '3' }), object('same', {})];
  expect(await diffManifests(before, after, scratch)).toMatchInlineSnapshot(`
    "=== DELETED: ConfigMap/gone in dev
    @@ -1,5 +0,0 @@
    -apiVersion: v1
    -data: {}
    -kind: ConfigMap
    -metadata:
    -  name: gone

    === changed: ConfigMap/changed in dev
    @@ -1,7 +1,7 @@
     apiVersion: v1
     data:
       a: "1"
    -  b: "2"
    +  b: "3"
     kind: ConfigMap
     metadata:
       name: changed

    === new: ConfigMap/added in dev
    @@ -0,0 +1,5 @@
    +apiVersion: v1
    +data: {}
    +kind: ConfigMap
    +metadata:
    +  name: added
    "
  `);
});
