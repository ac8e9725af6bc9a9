import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nameSchema, shaSchema } from '../model/names.ts';
import { configuration, least } from '../../test/support/configuration.ts';
import { branch, glob, namespace, path, personName, secretReference, url } from './fields.ts';

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

/** Names that went wrong somewhere: paths, shells, lines, terminals, objects' own properties, look-alikes. */
const hostile = [
  '',
  '../prod',
  '%2e%2e',
  'a;id',
  '$(id)',
  '`id`',
  'a b',
  'a\0b',
  'a\nb',
  'claims\n',
  '\nclaims',
  '__proto__',
  '-h',
  '--upload-pack=id',
  'сlaims', // the first letter is Cyrillic
  'ｃlaims',
  'claims\u202e',
  'claims\u200b',
  'é',
  '\u001b[31mclaims',
];

describe('a name', () => {
  test.each([...hostile, 'a', 'Claims', 'claims-', '1claims', 'a'.repeat(41), 'a'.repeat(64), 7, null])(
    '%j is refused',
    (name) => expect(accepts(nameSchema, name)).toBe(false),
  );

  test('that is accepted fits a DNS label, a branch, a path and a workflow ID as it is', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 50 }),
      fc.stringMatching(/^[a-z0-9-]{1,45}$/),
    );
    fc.assert(
      fc.property(name, (text) => {
        if (!accepts(nameSchema, text)) return;
        expect(text).toMatch(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
        expect(encodeURIComponent(text)).toBe(text);
        expect(posix.normalize(`a/${text}/b`)).toBe(`a/${text}/b`);
      }),
    );
  });

  test('of a person or a namespace is no better', () => {
    for (const name of hostile.filter((text) => text !== '__proto__')) {
      expect(accepts(personName, name)).toBe(false);
      expect(accepts(namespace, name)).toBe(false);
    }
  });
});

describe('a commit', () => {
  const commit = '0123456789abcdef0123456789abcdef01234567';
  test.each([
    '',
    'main',
    'HEAD',
    commit.slice(1),
    `${commit}0`,
    commit.toUpperCase(),
    ` ${commit}`,
    `${commit}\n`,
  ])('%j is refused', (sha) => expect(accepts(shaSchema, sha)).toBe(false));
  test('is its full hash', () => expect(accepts(shaSchema, commit)).toBe(true));
});

describe('a URL', () => {
  test.each([
    'ext::sh -c id',
    'file:///etc/passwd',
    'ssh://git@forge.example/team/platform.git',
    'git@forge.example:team/platform.git',
    '/srv/git/platform.git',
    '--upload-pack=id',
    'javascript:alert(1)',
    'https://bot:sesame@forge.example/team/platform.git',
    'https://bot@forge.example/team/platform.git',
    'https://forge.example\\@elsewhere.example/team/platform.git',
    'https://forge.example/team/platform.git\0',
    'https://fоrge.example/team/platform.git', // the first o is Cyrillic
    '',
    7,
  ])('%j is refused', (text) => expect(accepts(url, text)).toBe(false));

  test.each(['https://forge.example', 'http://127.0.0.1:3000', 'https://forge.example:8443/sub/path'])(
    '%s is accepted',
    (text) => expect(accepts(url, text)).toBe(true),
  );

  test('whatever is written, it is refused or one that Git and the forge read alike', () => {
    const text = fc.oneof(
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.string({ unit: 'binary' }).map((rest) => `https://forge.example${rest}`),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(text, (written) => {
        const { data } = url.safeParse(written);
        if (data === undefined) return;
        const { protocol, username, password, host } = new URL(data);
        expect(['http:', 'https:']).toContain(protocol);
        expect([username, password]).toEqual(['', '']);
        expect(data.toLowerCase()).toContain(host);
      }),
    );
  });

  test.each([
    'https://forge.example',
    'https://forge.example/platform.git',
    'https://forge.example/a/../platform.git',
  ])('%s names no repository', (text) => {
    expect(() => configuration({ repository: { url: text } })).toThrow(
      'repository.url: a clone URL ends in <owner>/<repository>.git',
    );
  });

  test('of a repository may lie in groups', () => {
    const { repository } = configuration({ repository: { url: 'https://forge.example/a/b/platform.git' } });
    expect(repository.url).toBe('https://forge.example/a/b/platform.git');
  });
});

describe('a branch', () => {
  test.each([
    ...hostile.filter((text) => text !== '__proto__'),
    '__proto__',
    'HEAD',
    'head',
    '@',
    '@{-1}',
    'main@{1}',
    'a..b',
    'a//b',
    'a/',
    '.a',
    'a/.b',
    'a.lock',
    'a.lock/b',
    'a.',
    'refs/heads/main',
    'a'.repeat(40),
    'ABCDEF0123'.repeat(4),
    'a'.repeat(101),
  ])('%j is refused', (name) => expect(accepts(branch, name)).toBe(false));

  test.each(['main', 'release-1.0', 'team/main', 'v2', 'deadbeef'])('%s is accepted', (name) =>
    expect(accepts(branch, name)).toBe(true),
  );

  test('that is accepted is one for Git too', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9./-]{1,12}(\.lock)?$/), (name) => {
        fc.pre(accepts(branch, name));
        const { status } = spawnSync('git', ['check-ref-format', `refs/heads/${name}`]);
        expect(status).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a path', () => {
  test.each([
    '/etc',
    '../x',
    'a/../../x',
    './a',
    'a/./b',
    'a//b',
    'a/',
    '',
    '.',
    '..',
    'a b',
    'a\nb',
    '$HOME',
    '~',
    'a\\b',
    '-'.concat('\0'),
  ])('%j is refused', (text) => {
    expect(accepts(path, text)).toBe(false);
    expect(accepts(glob, text)).toBe(false);
  });

  test('that is accepted stays inside the repository', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a*./-]{1,10}$/), (text) => {
        if (accepts(glob, text)) expect(posix.join('/r', text)).toBe(`/r/${text}`);
      }),
    );
  });

  test.each([
    'manifests',
    '/manifests/{service}',
    '../{service}',
    'a/../{service}',
    '{service}/{team}',
    'a/{service}/',
  ])('manifests: %s is refused', (manifests) =>
    expect(() => configuration({ manifests })).toThrow(/gitops\.yaml:\d+:\d+: manifests: /),
  );
});

describe('a secret', () => {
  test.each([
    'ghp_secret',
    'sesame',
    'env:',
    'env:1A',
    'env:A B',
    'env:A\nB',
    'file:relative',
    'file:',
    'vault:x',
    '',
    7,
  ])('%j is refused', (text) => expect(accepts(secretReference, text)).toBe(false));
  test.each(['env:FORGE_TOKEN', 'file:/run/secrets/token'])('is named: %s', (text) =>
    expect(accepts(secretReference, text)).toBe(true),
  );
});

test.each([
  [['sh -c id'], true],
  [[], false],
  [[''], false],
  ['make test', false],
])('a command is a list of arguments, which no shell reads: %j', (test, valid) => {
  const services = { ...least.services, test };
  if (valid) expect(configuration({ services }).services.test).toEqual(test);
  else expect(() => configuration({ services })).toThrow(/services\.test/);
});
