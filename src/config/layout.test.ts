import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { configuration } from '../../test/support/configuration.ts';
import { readCheckout } from './checkout.ts';
import { layoutProblems, sourceLayoutProblems } from './layout.ts';
import { loadConfig } from './load.ts';

const base = 'manifests/claims/base';
const overlay = 'manifests/claims/overlays/dev';
const staging = 'manifests/claims/overlays/staging';
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
  endToEnd?: string[] | { command: string[]; services: string[] },
): Promise<string[]> {
  const files = new Map(
    Object.entries({ ...good, ...changes }).filter(([, content]) => content !== undefined),
  );
  const environments = [
    {
      name: 'dev',
      entersBy: 'push',
      ...(endToEnd && { endToEnd: Array.isArray(endToEnd) ? { command: endToEnd } : endToEnd }),
    },
    ...(`${staging}/kustomization.yaml` in changes ? [{ name: 'staging', entersBy: 'push' }] : []),
  ];
  const config = configuration({ services, environments });
  const tree = { files: [...files.keys()], read: async (path: string) => files.get(path) };
  return (await layoutProblems(config, tree)).map(({ path, message }) => `${path}: ${message}`);
}

test.each(['brainsait-rcm', 'parcels'])(
  'the folders of the example %s fit its configuration',
  async (name) => {
    const example = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
    const config = loadConfig(`${example}/gitops.yaml`);
    expect(await layoutProblems(config, readCheckout(example))).toEqual([]);
  },
);

test('so do both repositories of the example split', async () => {
  const [manifests = '', hours = ''] = ['manifests', 'hours'].map((name) =>
    fileURLToPath(new URL(`../../examples/split/${name}`, import.meta.url)),
  );
  const config = loadConfig(`${manifests}/gitops.yaml`);
  expect(await layoutProblems(config, readCheckout(manifests))).toEqual([]);
  expect(await sourceLayoutProblems(config, ['hours'], readCheckout(hours))).toEqual([]);
});

test('of a source elsewhere its own repository is looked at, and its manifests here', async () => {
  const source = { repository: 'https://forge.example/team/claims.git' };
  const claims = { path: '.', source, paths: ['libs/**'], target: 'app', test: ['./test.sh'] };
  const services = { explicit: { claims } };
  expect(await problems({}, services, ['./e2e.sh'])).toEqual([]);
  expect(await problems({ [`${base}/deployment.yaml`]: undefined }, services)).toEqual([
    expect.stringMatching(/names deployment\.yaml, which is not there/),
  ]);

  const told = async (files: Record<string, string>) => {
    const tree = { files: Object.keys(files), read: async (path: string) => files[path] };
    const found = await sourceLayoutProblems(configuration({ services }), ['claims'], tree);
    return found.map(({ path, message }) => `${path}: ${message}`);
  };
  expect(await told({ 'README.md': '' })).toEqual([
    expect.stringMatching(/^libs\/\*\*: no file is found here: correct services\.explicit\.claims\.paths/),
    expect.stringMatching(/^Dockerfile: is not there: write it/),
    'test.sh: is not there: correct services.explicit.claims.test, or commit it',
  ]);
  expect(await told({ Dockerfile: 'FROM scratch\n', 'libs/a': '', 'test.sh': '' })).toEqual([
    'Dockerfile: has no stage app: correct services.explicit.claims.target',
  ]);
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
    'elsewhere/Dockerfile: is not there: write it, name another in services.explicit.claims.dockerfile, or say image: false there',
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
  ['missing.yaml', /names missing\.yaml, which is not there: write it, or take its name out$/],
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
  [
    'resources: [../../base]',
    [/does not include the release/, /names \.\.\/\.\.\/base, which changes .* include release instead$/],
  ],
  ['resources: [release, ../../base]', [/changes with every commit, without a promotion into dev/]],
  ['resources: []', [/without resources: \[release\] no promotion would reach dev$/]],
  [
    'resources: [release]\nimages: [{ name: registry.example/team/claims, newTag: latest }]',
    [
      /replaces the image registry\.example\/team\/claims, which is the release's to say: remove it from images$/,
    ],
  ],
  ['[]', [/is no YAML with keys and values$/]],
  ['', [/is no YAML with keys and values$/]],
  ['a: [', [/is no YAML \(Flow sequence .* at line 2, column 1\)$/]],
  ['resources: [release]\npatches:\n\t- x', [/is no YAML \(Tabs are not allowed .* at line 3, column 1\)$/]],
  ['resources: [release]\n<<<<<<< HEAD', [/is no YAML \(.* at line 2, column \d+\)$/]],
  [
    `a: &a [x]\n${Array.from('bcdefgh')
      .map((letter, i) => `${letter}: &${letter} [${Array(9).fill(`*${'abcdefg'[i]}`).join(', ')}]`)
      .join('\n')}`,
    [/nests too deep, or has too many aliases$/],
  ],
])('an overlay with %j is refused', async (content, why) => {
  expect(await problems({ [`${overlay}/kustomization.yaml`]: `${content}\n` })).toEqual(
    why.map((pattern) => expect.stringMatching(pattern)),
  );
});

test.each([
  '---\nresources: [release]\n---\n',
  '---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [release]\n---\n',
  '# of ours\n---\nresources: [release]\n...\n',
  'resources: [nothing]\nresources: [release]\n',
  `resources: [release]\npatchesStrategicMerge: ['{"kind":"Deployment"}']\n`,
])('what Kustomize takes is taken: %j', async (content) => {
  expect(await problems({ [`${overlay}/kustomization.yaml`]: content })).toEqual([]);
});

test('the release may be named with ./ or a slash, and other images are people’s own', async () => {
  const content = 'resources: [./release/]\nimages: [{ name: nginx, newTag: "1.29" }]\n';
  expect(await problems({ [`${overlay}/kustomization.yaml`]: content })).toEqual([]);
});

const parts = {
  [`${base}/rbac/kustomization.yaml`]: 'resources: [role.yaml]\n',
  [`${base}/rbac/role.yaml`]: 'kind: Role\n',
  [`${staging}/kustomization.yaml`]: 'resources: [release]\n',
  [`${staging}/release/base/rbac/kustomization.yaml`]: 'resources: [role.yaml]\n',
};

test.each([
  [
    'resources: [release, ../../base/rbac]',
    /^changes with every commit.* include release\/base\/rbac instead$/,
  ],
  ['resources: [release]\ncomponents: [../../base/rbac/]', /include release\/base\/rbac instead$/],
  ['resources: [release, ../../base/rbac/role.yaml]', /include release\/base\/rbac\/role\.yaml instead$/],
  ['resources: [release]\npatches: [{ path: ../../base/deployment.yaml }]', /^changes with every commit/],
  [
    'resources: [release, ../staging/release/base]',
    /^changes with promotions of claims into staging: include release instead$/,
  ],
  [
    'resources: [release, ../staging/release/base/rbac]',
    /^changes with promotions of claims into staging: include release\/base\/rbac instead$/,
  ],
  ['resources: [release, ../staging]', /^changes with promotions of claims into staging/],
  [
    'resources: [release]\ncomponents: [../staging/tuning]',
    /^is delivered to staging alone when it changes: move it to a folder beside manifests\/claims\/overlays$/,
  ],
])('an overlay that takes from others what its release should bring is refused: %j', async (content, why) => {
  const [told, ...others] = await problems({
    ...parts,
    [`${overlay}/kustomization.yaml`]: `${content}\n`,
  });
  expect(
    told?.replace(/^manifests\/claims\/overlays\/dev\/kustomization\.yaml: names \S+, which /, ''),
  ).toMatch(why);
  expect(others).toEqual([]);
});

test('another service’s base is refused as well, and is nobody’s else to include', async () => {
  const web = {
    'services/web/Dockerfile': 'FROM scratch\n',
    'manifests/web/base/kustomization.yaml': 'resources: [deployment.yaml]\n',
    'manifests/web/base/deployment.yaml':
      'kind: Deployment\nspec: { containers: [{ name: app, image: registry.example/team/web }] }\n',
    'manifests/web/overlays/dev/kustomization.yaml': 'resources: [release]\n',
  };
  expect(
    await problems({
      ...web,
      [`${overlay}/kustomization.yaml`]: 'resources: [release, ../../../web/base]\n',
    }),
  ).toEqual([expect.stringMatching(/without a promotion into dev: leave it to the overlays of web$/)]);
});

test('parts of a release and of the overlay itself may be included, before the first promotion, too', async () => {
  const extra = {
    [`${overlay}/extra/kustomization.yaml`]: 'resources: [../../shared/quota.yaml]\n',
    'manifests/claims/overlays/shared/quota.yaml': 'kind: ResourceQuota\n',
    [`${overlay}/kustomization.yaml`]: 'resources: [release, extra]\ncomponents: [release/base/rbac]\n',
  };
  expect(await problems({ ...parts, ...extra })).toEqual([]);
  // The release may be included by a part.
  expect(
    await problems({
      [`${overlay}/kustomization.yaml`]: 'resources: [app]\n',
      [`${overlay}/app/kustomization.yaml`]: 'resources: [../release]\n',
    }),
  ).toEqual([]);
});

test.each([
  [
    'resources: [release, "https://raw.example.com/acme/x/main/y.yaml"]',
    /may change without a promotion: copy it into manifests\/claims\/overlays\/dev$/,
  ],
  [
    'resources: [release, missing.yaml]',
    /names missing\.yaml, which is not there: write it, or take its name out$/,
  ],
  ['resources: [release]\npatches: [{ path: missing.yaml }]', /names missing\.yaml, which is not there/],
  ['resources: [release, ../../../../src]', /names \.\.\/\.\.\/\.\.\/\.\.\/src, which is not there/],
  ['resources: [release, release/base/missing]', /names release\/base\/missing, which is not there/],
  ['resources: [release, folder]', /names folder, which has no kustomization\.yaml: write one there/],
  [
    'resources: [release]\nhelmCharts: [{ name: redis }]',
    /has helmCharts, .* helm template writes to manifests/,
  ],
  ['resources: [release]\nhelmChartInflationGenerator: [{}]', /has helmChartInflationGenerator/],
])('what an overlay brings and would not render is told, in its parts as well: %j', async (content, why) => {
  const folder = { [`${overlay}/folder/file.txt`]: '', [`${overlay}/part/folder/file.txt`]: '' };
  const direct = { ...folder, [`${overlay}/kustomization.yaml`]: `${content}\n` };
  expect(await problems(direct)).toEqual([expect.stringMatching(why)]);
  const inPart = {
    ...folder,
    [`${overlay}/kustomization.yaml`]: 'resources: [release, part]\n',
    [`${overlay}/part/kustomization.yaml`]: content
      .replace('release, ', '')
      .replace('[release]', '[]')
      .replace('release/', '../release/')
      .concat('\n'),
  };
  const [told = ''] = await problems(inPart);
  expect(told).toMatch(/^manifests\/claims\/overlays\/dev\/part\/kustomization\.yaml: /);
});

test('all that is wrong with an overlay is told at once', async () => {
  const content = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [release, 'https://raw.githubusercontent.com/acme/x/main/y.yaml', missing.yaml]
helmCharts: [{ name: redis, repo: 'https://charts.example.com', version: 1.0.0, releaseName: r }]
`;
  expect(await problems({ [`${overlay}/kustomization.yaml`]: content })).toEqual([
    expect.stringMatching(/: has helmCharts, /),
    expect.stringMatching(/: names https:\/\/raw\.githubusercontent\.com\/acme\/x\/main\/y\.yaml, /),
    expect.stringMatching(/: names missing\.yaml, which is not there: /),
  ]);
});

test.each([
  'bases: [https://github.com/acme/x/deploy?ref=v1]',
  'resources: ["github.com/acme/x//deploy?ref=v1"]',
  'resources: ["github.com/acme/x"]',
  'resources: ["git::https://gitlab.example.com/acme/x.git//deploy"]',
  'resources: ["git@github.com:acme/x.git//deploy?ref=v1"]',
  'resources: ["ssh://git@forge.example/acme/x.git"]',
  'resources: ["acme@forge.example:acme/x.git//deploy"]',
  'resources: ["http://forge.example/y.yaml"]',
  'resources: ["gitlab.example.com/acme/x//deploy"]',
  'resources: ["gitlab.example.com/acme/x.git"]',
  'components: ["https://github.com/acme/x//component?ref=v1"]',
  'crds: ["https://raw.example.com/crd.json"]',
  'transformers: ["https://raw.example.com/t.yaml"]',
  'patchesStrategicMerge: ["https://raw.example.com/p.yaml"]',
  'patches: [{ path: "https://raw.example.com/p.yaml" }]',
  'patchesJson6902: [{ target: { kind: Deployment }, path: "https://raw.example.com/p.yaml" }]',
  'replacements: [{ path: "https://raw.example.com/r.yaml" }]',
  'openapi: { path: "https://raw.example.com/schema.json" }',
  'configMapGenerator: [{ name: a, files: ["a=https://raw.example.com/a"] }]',
])('what Kustomize would fetch is told, however it is written: %s', async (line) => {
  const content = line.startsWith('resources')
    ? line.replace('[', '[release, ')
    : `resources: [release]\n${line}`;
  expect(await problems({ [`${overlay}/kustomization.yaml`]: `${content}\n` })).toEqual([
    expect.stringMatching(/: names \S+, which may change without a promotion: copy it into /),
  ]);
});

test('charts are told in base, too, and what is no YAML in a part', async () => {
  expect(await problems({ [`${base}/kustomization.yaml`]: 'helmCharts: [{ name: redis }]\n' })).toEqual([
    expect.stringMatching(/base\/kustomization\.yaml: has helmCharts, .* writes to manifests\/claims\/base/),
  ]);
  const part = {
    [`${overlay}/kustomization.yaml`]: 'resources: [release, part]\n',
    [`${overlay}/part/kustomization.yaml`]: '[]\n',
  };
  expect(await problems(part)).toEqual([
    `${overlay}/part/kustomization.yaml: is no YAML with keys and values`,
  ]);
});

test.each([
  [
    { discover: ['services/*', 'apps/*'] },
    'apps/*: no folder with a Dockerfile is found here: correct services.discover',
  ],
  [
    { discover: ['services/*'], shared: ['libs/**'] },
    'libs/**: no file is found here: correct services.shared, where a whole folder is written libs/**',
  ],
  [
    { explicit: { claims: { path: 'services/claims', paths: ['services'] } } },
    'services: no file is found here: correct services.explicit.claims.paths, where a whole folder is written libs/**',
  ],
])('a pattern that matches nothing is told: %j', async (services, told) => {
  expect(await problems({}, services)).toEqual([told]);
});

test.each([
  [['scripts/e2e.sh', 'staging'], 'scripts/e2e.sh'],
  [['./scripts/e2e.sh'], 'scripts/e2e.sh'],
  [['bash', '-e', 'scripts/e2e'], 'scripts/e2e'],
  [['node', '--test', 'e2e.mjs'], 'e2e.mjs'],
  [['k6', 'run', 'load/script.js'], 'load/script.js'],
  [['npx', 'playwright', 'test', 'e2e/claims.spec.ts'], 'e2e/claims.spec.ts'],
])('an end-to-end test whose script is not in the checkout is told: %j', async (command, script) => {
  const discover = { discover: ['services/*'] };
  expect(await problems({}, discover, command)).toEqual([
    `${script}: is not there: correct environments[0].endToEnd.command, or commit it`,
  ]);
  expect(await problems({ [script]: '' }, discover, command)).toEqual([]);
});

test.each([
  [['/usr/bin/env', 'true']],
  [['npm', 'run', 'e2e']],
  [['sh', '-c', 'cd e2e && ./run.sh']],
  [['pytest', '--junitxml', 'reports/junit.xml', 'services/claims']],
  [['curl', '--fail', 'https://claims.example.com/health.js']],
  [['node', '--test', 'services/']],
  [['node', '--import', 'tsx/esm', '--test']],
  [['python3', '-m', 'pytest', '--rootdir', 'services/claims']],
  [['go', 'test', './e2e/...']],
])('an end-to-end test that names no script has none missing: %j', async (command) => {
  expect(await problems({}, { discover: ['services/*'] }, command)).toEqual([]);
});

test('an end-to-end test for services that there are not is told', async () => {
  const endToEnd = { command: ['true'], services: ['cla*', 'clams', 'web-*'] };
  expect(await problems({}, { discover: ['services/*'] }, endToEnd)).toEqual([
    'clams: no service is called so: correct environments[0].endToEnd.services',
    'web-*: no service is called so: correct environments[0].endToEnd.services',
  ]);
});

test('a service’s test runs in its folder, where its script must be', async () => {
  const services = { explicit: { claims: { path: 'services/claims', test: ['./test.sh'] } } };
  expect(await problems({}, services)).toEqual([
    'services/claims/test.sh: is not there: correct services.explicit.claims.test, or commit it',
  ]);
  expect(await problems({ 'services/claims/test.sh': '' }, services)).toEqual([]);
  expect(await problems({}, { discover: ['services/*'], test: ['../test.sh'] })).toEqual([
    'services/test.sh: is not there: correct services.test, or commit it',
  ]);
});

test.each([
  [{ context: 'libs' }, 'libs: is not there: correct services.explicit.claims.context'],
  [
    { dockerfile: 'build/Dockerfile' },
    'build/Dockerfile: is not there: correct services.explicit.claims.dockerfile',
  ],
  [
    { target: 'app' },
    'services/claims/Dockerfile: has no stage app: correct services.explicit.claims.target',
  ],
  [{ context: '.' }, undefined],
  [{ context: '.', dockerfile: 'Dockerfile', target: 'App' }, undefined],
])('what a build would not find is told: %j', async (build, told) => {
  const services = { explicit: { claims: { path: 'services/claims', ...build } } };
  const more = { Dockerfile: 'FROM scratch AS app\nFROM app\n' };
  expect(await problems(more, services)).toEqual(told === undefined ? [] : [told]);
});

test('a service of the whole repository needs a Dockerfile at its root', async () => {
  const services = { explicit: { claims: { path: '.' } } };
  expect(await problems({}, services)).toEqual([
    expect.stringMatching(/^Dockerfile: is not there: write it/),
  ]);
  expect(await problems({ Dockerfile: 'FROM scratch\n' }, services)).toEqual([]);
});
