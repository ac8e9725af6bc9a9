import { beforeEach, expect, test } from 'vitest';
import { configuration, least } from '../../../test/support/configuration.ts';
import { makeDiskRepository, type DiskRepository } from '../../../test/support/disk-repository.ts';
import { objectKeys } from '../../model/object-keys.ts';
import type { Images } from '../../systems/images/index.ts';
import type { ObjectStore } from '../../systems/objects/index.ts';
import { createAdoptImage } from './adopt-image.ts';

const name = 'registry.example/team/claims';
const digest = `sha256:${'d'.repeat(64)}`;
const reference = `${name}@${digest}`;
const revision = 'org.opencontainers.image.revision';

let disk: DiskRepository;
let commit: string;
/** By reference. */
let registry: Map<string, Record<string, string>>;
let records: Map<string, string>;
/** `registry.image` */
let image: string;

beforeEach(async () => {
  disk = await makeDiskRepository({ 'services/claims/Dockerfile': 'FROM scratch\n' });
  commit = await disk.git('rev-parse', 'HEAD');
  registry = new Map([[reference, { [revision]: commit }]]);
  records = new Map();
  image = least.registry.image;
  return () => disk.remove();
});

function adopt(reference: string, service = 'claims') {
  const images = {
    labels: async (asked) => registry.get(`${asked.name}@${asked.digest}`),
  } as Pick<Images, 'labels'> as Images;
  const objects: ObjectStore = {
    get: async (key) => {
      const body = records.get(key);
      return body === undefined ? undefined : { body, etag: '1' };
    },
    put: async (key, body) => Boolean(records.set(key, body)),
    list: async () => [],
  };
  const config = configuration({ registry: { image, allowed: ['ci.example/claims'] } });
  const systems = { config, repository: disk.repository, sourceOf: () => disk.repository, objects, images };
  return createAdoptImage(systems).adoptImage({ change: { service, commit }, reference });
}

test('what CI built from the commit is taken, and recorded', async () => {
  expect(await adopt(reference)).toEqual({ name, digest });
  expect(JSON.parse(records.get(objectKeys.build({ service: 'claims', commit })) ?? '')).toMatchObject({
    change: `claims/${commit}`,
    name,
    digest,
  });
  registry.set(`ci.example/claims@${digest}`, { [revision]: commit });
  records.clear();
  expect(await adopt(`ci.example/claims@${digest}`)).toEqual({ name: 'ci.example/claims', digest });
});

test.each([
  ['by a tag only', `${name}:latest`, /names no digest\. Give the image as NAME@sha256:…/],
  ['by nothing', name, /names no digest/],
  ['by a short digest', `${name}@sha256:abc`, /names no digest/],
  ['by a tag besides', `${name}:latest@${digest}`, /is not where images of claims come from .*without a tag/],
  [
    'from another registry',
    `evil.example/team/claims@${digest}`,
    /\(registry\.example\/team\/claims, ci\.example\/claims\)/,
  ],
  ['of another service', `registry.example/team/web@${digest}`, /is not where images of claims come from/],
  ['that is not there', `${name}@sha256:${'e'.repeat(64)}`, /^The registry has no .* Push it first\.$/],
])('an image %s is refused, and not recorded', async (_, image, why) => {
  await expect(adopt(image)).rejects.toMatchObject({
    type: 'Refused',
    nonRetryable: true,
    message: expect.stringMatching(why) as string,
  });
  expect(records.size).toBe(0);
});

test('an image of Docker Hub may be named in any way, and is delivered as the configuration has it', async () => {
  image = 'bakery/{service}';
  registry.set(`bakery/claims@${digest}`, { [revision]: commit });
  for (const given of ['bakery/claims', 'docker.io/bakery/claims', 'index.docker.io/bakery/claims']) {
    records.clear();
    expect(await adopt(`${given}@${digest}`)).toEqual({ name: 'bakery/claims', digest });
  }
  await expect(adopt(`quay.io/bakery/claims@${digest}`)).rejects.toMatchObject({ type: 'Refused' });
});

test('an image without the commit’s label, or with another commit’s, is refused', async () => {
  for (const labels of [
    {},
    { [revision]: '' },
    { [revision]: 'main' },
    { [revision]: commit.slice(0, 12) },
  ]) {
    registry.set(reference, labels);
    await expect(adopt(reference)).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringMatching(
        new RegExp(`not ${commit}\\. Build it with the label org\\.opencontainers\\.image\\.revision\\.$`),
      ) as string,
    });
  }
  expect(records.size).toBe(0);
});

test('the image that was recorded first stays, and whoever brings another is told of both', async () => {
  await adopt(reference);
  const rebuilt = `${name}@sha256:${'e'.repeat(64)}`;
  registry.set(rebuilt, { [revision]: commit });
  await expect(adopt(rebuilt)).rejects.toMatchObject({
    type: 'Refused',
    message: `claims/${commit} has an image already, ${reference}, and ${rebuilt} is another. Leave --image out to deliver the first, or make a commit for the other.`,
  });
  expect(await adopt(reference)).toEqual({ name, digest });
});
