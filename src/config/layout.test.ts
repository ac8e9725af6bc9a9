import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { configuration } from '../../test/support/configuration.ts';
import { readCheckout } from './checkout.ts';
import { layoutProblems } from './layout.ts';
import { loadConfig } from './load.ts';

const base = 'manifests/claims/base';
const overlay = 'manifests/claims/overlays/dev';
const good: Record<string, string> = {
  'services/claims/Dockerfile': 'FROM scratch\n',
  [`${base}/kustomization.yaml`]: 'resources: [deployment.yaml]\n',
  [`${base}/deployment.yaml`]:
    'kind: Deployment\nspec: { containers: [{ name: app, image: registry.example/team/claims }] }\n',
  [`${overlay}/kustomization.yaml`]: 'resources: [release]\n',
};

/** What is wrong with a repository of these files; undefined ones are not there. */
async function problems(
  changes: Record<string, string | undefined> = {},
  services: object = { discover: ['services/*'] },
): Promise<string[]> {
  const files = new Map(
    Object.entries({ ...good, ...changes }).filter(([, content]) => content !== undefined),
  );
  const config = configuration({ services, environments: [{ name: 'dev', entersBy: 'push' }] });
  const tree = { files: [...files.keys()], read: async (path: string) => files.get(path) };
  return (await layoutProblems(config, tree)).map(({ path, message }) => `${path}: ${message}`);
}

const example = fileURLToPath(new URL('../../examples/brainsait-rcm', import.meta.url));

test('the example’s folders fit its configuration', async () => {
  const config = loadConfig(`${example}/gitops.yaml`);
  expect(await layoutProblems(config, readCheckout(example))).toEqual([]);
});

test('folders that fit have no problem', async () => {
  expect(await problems()).toEqual([]);
});

test.each(['kustomization.yml', 'Kustomization'])('a kustomization may be called %s', async (name) => {
  const content = good[`${overlay}/kustomization.yaml`];
  expect(
    await problems({ [`${overlay}/kustomization.yaml`]: undefined, [`${overlay}/${name}`]: content }),
  ).toEqual([]);
});

test('what is not where the configuration says is told, with what to change', async () => {
  expect(await problems({ 'services/claims/Dockerfile': undefined })).toEqual([
    'services/*: no folder with a Dockerfile is found here: correct services.discover',
  ]);
  const explicit = { claims: { path: 'elsewhere' } };
  expect(await problems({}, { explicit })).toEqual([
    'elsewhere: is not there: correct services.explicit.claims.path',
  ]);
  expect(await problems({ 'elsewhere/main.py': '' }, { explicit })).toEqual([
    'elsewhere/Dockerfile: is not there: write it, or say image: false in services.explicit.claims',
  ]);
  expect(await problems({ [`${base}/kustomization.yaml`]: undefined })).toEqual([
    `${base}: has no kustomization.yaml: write the manifests of claims there`,
  ]);
  expect(await problems({ [`${overlay}/kustomization.yaml`]: undefined })).toEqual([
    `${overlay}: has no kustomization.yaml: write one that says resources: [release], or correct manifests or environments`,
  ]);
});

test.each([
  [
    '../../other/base',
    /names \.\.\/\.\.\/other\/base, which is outside of manifests\/claims\/base.* move it in$/,
  ],
  ['../overlays/dev', /is outside of/],
  ['/etc/passwd', /is not there|is outside of/],
  ['https://example.com/base.yaml', /may change without a promotion: copy it into manifests\/claims\/base$/],
  ['github.com/team/other//base?ref=main', /may change without a promotion/],
  ['git@example.com:team/other.git', /may change without a promotion/],
  ['missing.yaml', /names missing\.yaml, which is not there$/],
])('a base that names %s is refused: a release carries base/ alone', async (reference, why) => {
  const content = `resources: [deployment.yaml, "${reference}"]\n`;
  expect(await problems({ [`${base}/kustomization.yaml`]: content })).toEqual([expect.stringMatching(why)]);
});

test.each([
  'components: [../x]',
  'patches: [{ path: ../x }]',
  'configMapGenerator: [{ name: a, files: [key=../x] }]',
  'secretGenerator: [{ name: a, envs: [../x] }]',
  'replacements: [{ path: ../x }]',
  'openapi: { path: ../x }',
])('it is found out wherever it stands: %s', async (line) => {
  const nested = { [`${base}/more/kustomization.yaml`]: `${line.replaceAll('../x', '../../x')}\n` };
  const [told, ...others] = await problems({
    [`${base}/kustomization.yaml`]: 'resources: [more]\n',
    ...nested,
  });
  expect(told).toMatch(
    /^manifests\/claims\/base\/more\/kustomization\.yaml: names \.\.\/\.\.\/x, which is outside/,
  );
  expect(others).toEqual([]);
});

test.each([
  ['resources: [../../base]', [/does not include the release/, /includes base\/.* include release instead$/]],
  ['resources: [release, ../../base]', [/every commit to it would reach dev without a promotion/]],
  ['resources: []', [/without resources: \[release\] no promotion would reach dev$/]],
  [
    'resources: [release]\nimages: [{ name: registry.example/team/claims, newTag: latest }]',
    [
      /replaces the image registry\.example\/team\/claims, which is the release's to say: remove it from images$/,
    ],
  ],
  ['[]', [/is no YAML with keys and values$/]],
  ['a: [', [/is no YAML with keys and values$/]],
  [
    `a: &a [x]\n${Array.from('bcdefgh')
      .map((letter, i) => `${letter}: &${letter} [${Array(9).fill(`*${'abcdefg'[i]}`).join(', ')}]`)
      .join('\n')}`,
    [/is no YAML with keys and values$/],
  ],
])('an overlay with %j is refused', async (content, why) => {
  expect(await problems({ [`${overlay}/kustomization.yaml`]: `${content}\n` })).toEqual(
    why.map((pattern) => expect.stringMatching(pattern)),
  );
});

test.each([
  '---\nresources: [release]\n---\n',
  'resources: [nothing]\nresources: [release]\n',
  `resources: [release]\npatchesStrategicMerge: ['{"kind":"Deployment"}']\n`,
])('what Kustomize takes is taken: %j', async (content) => {
  expect(await problems({ [`${overlay}/kustomization.yaml`]: content })).toEqual([]);
});

test('the release may be named with ./ or a slash, and other images are people’s own', async () => {
  const content = 'resources: [./release/]\nimages: [{ name: nginx, newTag: "1.29" }]\n';
  expect(await problems({ [`${overlay}/kustomization.yaml`]: content })).toEqual([]);
});
