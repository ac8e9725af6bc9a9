import { expect, test } from 'vitest';
import { configuration, least } from '../../test/support/configuration.ts';
import { ConfigError } from './load.ts';

/** What is wrong with the least configuration and these changes, by path. */
function problems(changes: object): Record<string, string> {
  try {
    configuration(changes);
    return {};
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]));
  }
}

const dev = { name: 'dev', entersBy: 'push' };
const production = { name: 'production', approval: { quorum: 2 }, sync: 'manual' };

test('two decide, but only one may', () => {
  expect(problems({ people: { 'board-1': {} } })).toEqual({
    'environments[1].approval.quorum':
      '2 must approve, but 1 of people may decide: add people, or ask for fewer',
  });
  const people = { 'board-1': {}, developer: { decides: false } };
  expect(problems({ people })).toHaveProperty(['environments[1].approval.quorum']);
  expect(problems({ people: { 'board-1': {}, 'board-2': {} } })).toEqual({});
});

test('decisions by name need somebody to say that names are trusted', () => {
  expect(problems({ identity: undefined })).toEqual({
    'environments[1].approval': expect.stringMatching(/write identity: trusted-namespace$/),
  });
  expect(problems({ identity: undefined, environments: [dev] })).toEqual({});
});

test('nobody can approve a push', () => {
  for (const approval of ['review', { quorum: 2 }]) {
    expect(problems({ environments: [{ ...dev, approval }] })).toEqual({
      'environments[0].approval':
        'nobody can approve a push: set entersBy to pull-request, or approval to none',
    });
  }
});

test('nothing is synced around the decisions', () => {
  for (const sync of [{}, { sync: 'automated' }]) {
    expect(problems({ environments: [{ name: 'production', approval: { quorum: 2 }, ...sync }] })).toEqual({
      'environments[0].sync': expect.stringMatching(/^Argo CD would sync whatever somebody merges/),
    });
  }
});

test('decisions that people were asked for are not taken back', () => {
  const replacing = (environment: object) =>
    problems({ environments: [{ ...environment, whileAsked: 'replace' }] });
  expect(replacing(production)).toEqual({
    'environments[0].whileAsked':
      'decisions that people were asked for are never taken back: set it to wait where approval has a quorum',
  });
  expect(replacing({ name: 'staging', approval: 'review' })).toEqual({});
});

test('a bake is shorter than the time to become healthy, of which it is a part', () => {
  const baked = (bake: string) => problems({ environments: [{ ...dev, healthy: '10m', bake }] });
  expect(baked('10m')).toEqual({
    'environments[0].bake': '10m does not fit into healthy (10m), which is all the time there is',
  });
  expect(baked('599s')).toEqual({});
});

test('environments differ in name and Applications, and there is one at least', () => {
  expect(problems({ environments: [] })).toEqual({ environments: 'is empty' });
  expect(problems({ environments: [dev, dev] })).toEqual({
    'environments[1].name': 'there are two environments dev',
  });
  expect(problems({ environments: [{ ...dev, name: 'end' }] })).toEqual({
    'environments[0].name': 'end is how the end of a delivery is waited for: take another name',
  });
  const application = '{service}';
  expect(
    problems({
      environments: [
        { ...dev, application },
        { ...production, application },
      ],
    }),
  ).toEqual({
    'environments[1].application': expect.stringMatching(/put \{environment\} into it$/),
  });
  expect(problems({ environments: [{ ...dev, application: '{environment}' }] })).toEqual({
    'environments[0].application': expect.stringMatching(/^\{service\} must be in it/),
  });
});

test('a namespace that would be too long is asked for', () => {
  const [platform, name] = ['p'.repeat(40), 'e'.repeat(40)];
  expect(problems({ platform, environments: [{ ...dev, name }] })).toEqual({
    'environments[0].namespace': expect.stringMatching(/is longer than the 63 characters/),
  });
  expect(problems({ platform, environments: [{ ...dev, name, namespace: 'short' }] })).toEqual({});
});

test('a platform without any service is refused', () => {
  expect(problems({ services: {} })).toEqual({
    services: 'names no service: put folders into discover, or services into explicit',
  });
});

test('an access key without its secret is refused', () => {
  const objects = { ...least.objects, accessKeyId: 'env:ID' };
  expect(problems({ objects })).toEqual({
    objects: 'accessKeyId and secretAccessKey go together: set both or neither',
  });
});

test('nobody has another’s login or address, in whatever case', () => {
  const people = {
    'board-1': { forge: 'Alice', emails: ['a@example.com'] },
    'board-2': { forge: 'alice', emails: ['b@example.com', 'A@Example.com'] },
  };
  expect(problems({ people })).toEqual({
    'people.board-2.forge': "the login alice is board-1's already",
    'people.board-2.emails[1]': "the address a@example.com is board-1's already",
  });
});

test('backups lie in a bucket of S3 or in a container of Azure, each with credentials of its own kind', () => {
  const recovery = { identity: 'env:IDENTITY' };
  const backup = (store: object) => ({
    backup: { cluster: 'prod', recipients: ['env:RECIPIENT'], recovery, ...store },
  });
  const container = { container: 'backups', endpoint: 'https://bakery.blob.core.windows.net' };
  expect(problems(backup({ bucket: 'backups' }))).toEqual({});
  expect(problems(backup({ ...container, credential: 'env:SAS' }))).toEqual({});
  for (const neither of [{}, { ...container, bucket: 'backups' }]) {
    expect(problems(backup(neither))).toEqual({ backup: expect.stringMatching(/^takes either a bucket/) });
  }
  expect(problems(backup({ container: 'backups' }))).toEqual({
    backup: expect.stringMatching(/needs an endpoint/),
  });
  const accessKey = { accessKeyId: 'env:A', secretAccessKey: 'env:B' };
  expect(problems(backup({ ...container, ...accessKey }))).toEqual({
    'backup.accessKeyId': 'a container takes a credential',
  });
  expect(problems(backup({ bucket: 'backups', recovery: { ...recovery, credential: 'env:SAS' } }))).toEqual({
    'backup.recovery.credential': 'a bucket takes accessKeyId and secretAccessKey',
  });
});

test('environments have namespaces of their own', () => {
  const shared = (...namespaces: (string | undefined)[]) =>
    problems({
      environments: [dev, production].map((environment, i) => ({ ...environment, namespace: namespaces[i] })),
    });
  expect(shared('claims', 'claims')).toEqual({
    'environments[1].namespace':
      'claims is the namespace of dev, whose objects these would replace: give each environment one of its own',
  });
  // The default counts as well.
  expect(shared('platform-production')).toHaveProperty(['environments[1].namespace']);
  expect(shared()).toEqual({});
  expect(shared('claims-dev', 'claims')).toEqual({});
});

test('an address is whatever Git takes for one', () => {
  const addresses = (...emails: string[]) => problems({ people: { 'board-1': { emails }, 'board-2': {} } });
  const made = ['anna@buildhost', 'anna@laptop.(none)', 'root@localhost', "o'brien@[10.0.0.1]"];
  expect(addresses('anna@example.com', ...made)).toEqual({});
  for (const wrong of ['anna', '@host', 'anna@', 'Anna <anna@host>', 'anna@host, ben@host', 'a@b@c']) {
    expect(addresses(wrong)).toEqual({
      'people.board-1.emails[0]': expect.stringMatching(/^takes an e-mail address as commits have it/),
    });
  }
});

test('a source elsewhere is elsewhere, is for an image, and is read in one way', () => {
  const source = { repository: 'https://forge.example/team/claims.git', token: 'env:SOURCE_TOKEN' };
  const explicit = (...services: object[]) => ({
    services: { explicit: Object.fromEntries(services.map((one, i) => [`s${i}`, { path: '.', ...one }])) },
  });
  expect(problems(explicit({ source }, { source, path: 'api' }))).toEqual({});
  const same = { ...source, repository: 'https://forge.example/Team/platform' };
  expect(problems(explicit({ source: same }))).toEqual({
    'services.explicit.s0.source.repository':
      'is the repository of the manifests, whose services need no source: remove it',
  });
  expect(problems(explicit({ source, image: false }))).toEqual({
    'services.explicit.s0.image': expect.stringMatching(/^nothing of the source would reach an environment/),
  });
  expect(problems(explicit({ source }, { source: { ...source, token: 'env:OTHER' } }))).toEqual({
    'services.explicit.s1.source': expect.stringMatching(/another token or caFile: write the same$/),
  });
  expect(
    problems(explicit({ source: { ...source, repository: 'git@forge.example:team/claims.git' } })),
  ).toEqual({ 'services.explicit.s0.source.repository': 'takes an http:// or https:// URL' });
});
