import { expect, test } from 'vitest';
import { configuration } from '../../test/support/configuration.ts';
import { baseImageProblems } from './base-image.ts';

const base = 'manifests/claims/base';
const image = 'registry.example/team/claims';
const service = {
  name: 'claims',
  path: 'services/claims',
  paths: [],
  releases: [],
  manifests: 'manifests/claims',
  base: 'manifests/claims/base',
  image,
};

/** What is told of a base that holds these files, beside a kustomization that names them. */
async function problems(
  files: Record<string, string>,
  changes: { image?: undefined } = {},
): Promise<string[]> {
  const names = Object.keys(files).filter((file) => file !== 'kustomization.yaml');
  const all = new Map(
    Object.entries({ 'kustomization.yaml': `resources: [${names.join(', ')}]\n`, ...files }).map(
      ([file, content]) => [`${base}/${file}`, content],
    ),
  );
  const config = configuration({
    registry: { image: 'registry.example/team/{service}', allowed: ['ci.example/claims'] },
  });
  const tree = { files: [...all.keys()], read: async (path: string) => all.get(path) };
  const { image: _, ...others } = service;
  const found = await baseImageProblems(config, 'image' in changes ? others : service, tree);
  return found.map(({ path, message }) => `${path}: ${message}`);
}

const deployment = (...images: string[]): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: claims }
spec:
  template:
    spec:
      containers:
${images.map((one, i) => `        - { name: app-${i}, image: '${one}' }`).join('\n')}
`;

test.each(['claims', 'team/claims:1.0', `docker.io/${image}`, 'registry.example/team/claim:v3'])(
  'a base that names %s is told before anything is delivered, with what is most like the image first',
  async (other) => {
    expect(await problems({ 'deployment.yaml': deployment('nginx:1.29', other) })).toEqual([
      `${base}: does not name the image ${image}, so that nothing would run what is built: its images are ${other}, nginx:1.29; write image: ${image}, without a tag`,
    ]);
  },
);

test('so is one without any image', async () => {
  expect(await problems({ 'service.yaml': 'kind: Service\n' })).toEqual([
    expect.stringMatching(/: no image is in it; write image: /),
  ]);
});

test.each([
  ['in a container', { 'd.yaml': deployment(image) }],
  ['with a tag, which a release replaces', { 'd.yaml': deployment('nginx', `${image}:1.0`) }],
  ['by the name of images that are built elsewhere', { 'd.yaml': deployment('ci.example/claims') }],
  ['in a later document', { 'd.yaml': `---\nkind: Service\n---\n${deployment(image)}---\n` }],
  ['in a list', { 'd.json': JSON.stringify({ kind: 'List', items: [{ containers: [{ image }] }] }) }],
  [
    'in a folder of base',
    {
      'kustomization.yaml': 'resources: [app]\n',
      'app/kustomization.yaml': '{}',
      'app/d.yaml': deployment(image),
    },
  ],
  [
    'as the new name of another',
    {
      'd.yaml': deployment('claims'),
      'kustomization.yaml': `resources: [d.yaml]\nimages: [{ name: claims, newName: ${image} }]\n`,
    },
  ],
  [
    'in a patch',
    {
      'd.yaml': deployment('claims'),
      'kustomization.yaml': `resources: [d.yaml]\npatches:\n  - patch: |\n      [{"op":"replace","path":"/spec/image","value":"${image}"}]\n`,
    },
  ],
  [
    'by a replacement, which only rendering shows',
    {
      'd.yaml': deployment('claims'),
      'kustomization.yaml': 'resources: [d.yaml]\nreplacements: [{ path: r.yaml }]\n',
    },
  ],
])('a base that names the image %s is right', async (_, files) => {
  expect(await problems(files as Record<string, string>)).toEqual([]);
});

test('a name that only begins like the image’s is another one', async () => {
  const kustomization = `resources: [d.yaml]\nimages: [{ name: claims, newName: ${image}-api }]\n`;
  const files = { 'd.yaml': deployment('claims'), 'kustomization.yaml': kustomization };
  expect(await problems(files)).toEqual([expect.stringContaining('does not name the image')]);
});

test('an image in a field that Kustomize does not know is told, and not once it is configured', async () => {
  const spark = `kind: SparkApplication\nmetadata: { name: claims }\nspec: { image: '${image}:latest' }\n`;
  const told = `${base}/spark.yaml: has the image of claims in spec.image of SparkApplication, where no release would change it. Kustomize changes images of containers only: let base/kustomization.yaml say configurations: [images.yaml], and base/images.yaml say images: [{ path: spec/image, kind: SparkApplication }]`;
  expect(await problems({ 'spark.yaml': spark })).toEqual([told]);
  expect(await problems({ 'spark.yaml': spark, 'd.yaml': deployment(image) })).toEqual([told]);
  const kustomization = 'resources: [spark.yaml]\nconfigurations: [images.yaml]\n';
  expect(await problems({ 'spark.yaml': spark, 'kustomization.yaml': kustomization })).toEqual([]);
});

test.each([
  ['spec.imageName', `spec: { imageName: '${image}:16' }`],
  ['spec.driver.image', `spec: { type: Java, driver: { image: '${image}' } }`],
  ['spec.containerImage', `spec: { containerImage: ${image} }`],
  ['spec.sidecars[0].imageRef', `spec: { sidecars: [{ imageRef: '${image}:1' }] }`],
])('so is one in %s of whatever kind', async (where, spec) => {
  const object = `apiVersion: example.com/v1\nkind: Custom\nmetadata: { name: claims }\n${spec}\n`;
  expect(await problems({ 'custom.yaml': object, 'd.yaml': deployment(image) })).toEqual([
    expect.stringContaining(
      `has the image of claims in ${where} of Custom, where no release would change it.`,
    ),
  ]);
});

test('what data means that pods read is not guessed', async () => {
  const data = `kind: ConfigMap\nmetadata: { name: c }\ndata: { image: '${image}:latest' }\n`;
  expect(await problems({ 'c.yaml': data, 'd.yaml': deployment(image) })).toEqual([]);
});

test('a service without an image needs none', async () => {
  expect(await problems({ 'd.yaml': deployment('nginx') }, { image: undefined })).toEqual([]);
});
