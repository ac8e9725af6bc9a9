import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isScalar, LineCounter, parseDocument, stringify, visit } from 'yaml';
import { z } from 'zod';
import { least } from '../../test/support/configuration.ts';
import { ConfigError, loadConfig, parseConfig } from './load.ts';
import { configSchema } from './schema.ts';

const exampleFile = fileURLToPath(new URL('../../examples/brainsait-rcm/gitops.yaml', import.meta.url));
const example = readFileSync(exampleFile, 'utf8');

/** What is wrong, a line each; nothing when it is valid. */
function complaints(text: string): string[] {
  try {
    parseConfig(text);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

const withoutPlace = (told: string): string => told.replace(/^gitops\.yaml:\d+:\d+: /, '');
const withLine = (line: string) => `${stringify(least)}${line}\n`;
const replaced = (old: string, by: string): string => {
  expect(example).toContain(old);
  return example.replace(old, by);
};

test('the example is valid, and short', () => {
  const config = loadConfig(exampleFile);
  expect(config.environments.map(({ name }) => name)).toEqual(['dev', 'staging', 'production']);
  expect(example.split('\n').length).toBeLessThan(60);
});

test('what is left out has a default', () => {
  expect(parseConfig(stringify(least))).toMatchObject({
    repository: { branch: 'main' },
    argocd: { namespace: 'argocd' },
    forge: { deliverOnPush: false },
    registry: { insecure: false },
    objects: { region: 'us-east-1' },
    services: { testTimeout: '30m', buildTimeout: '30m' },
    environments: [
      { approval: 'none', sync: 'automated', healthy: '15m', application: '{service}-{environment}' },
      { entersBy: 'pull-request', approval: { quorum: 2, expiresAfter: '24h' }, review: '7d' },
    ],
    people: { 'board-1': { decides: true } },
  });
});

test('a problem is told as compilers do: file, line, column, path, and what is allowed', () => {
  const text = 'platform: p\nplatfrom: p\nforge:\n  kind: gitea\n  tken: env:TOKEN\n';
  expect(complaints(text)).toContain(
    'gitops.yaml:5:3: forge.tken: there is no such key. ' +
      'Allowed here: kind, url, token, webhookSecret, deliverOnPush, caFile',
  );
});

test('each problem tells its path and what is allowed', () => {
  const cases: [string, string][] = [
    [
      replaced('approval: review', 'aproval: review'),
      'environments[1].aproval: there is no such key. ' +
        'Allowed here: name, namespace, application, applicationNamespace, entersBy, approval, sync, healthy, bake, mayBeDegraded, review, whileAsked, endToEnd',
    ],
    [
      replaced('timeout: 10m', 'timout: 10m'),
      'environments[1].endToEnd.timout: there is no such key. Allowed here: command, services, env, timeout',
    ],
    [
      replaced('kind: gitea', 'kind: gitee'),
      'forge.kind: "gitee" is not allowed here: it takes gitea or github',
    ],
    [replaced('quorum: 2', 'quorum: two'), 'environments[2].approval.quorum: takes a number, not text'],
    [
      replaced('{ quorum: 2, expiresAfter: 24h }', '{ expiresAfter: 24h }'),
      'environments[2].approval.quorum: is missing: it takes a number',
    ],
    [
      replaced('approval: review', 'approval: reviews'),
      'environments[1].approval: "reviews" is not allowed here: none, review, or { quorum, expiresAfter }',
    ],
    [
      replaced('approval: review', 'approval: [review]'),
      'environments[1].approval: a list is not allowed here: none, review, or { quorum, expiresAfter }',
    ],
    [
      replaced('timeout: 10m', 'timeout: 10 minutes'),
      'environments[1].endToEnd.timeout: a duration is a number with s, m, h or d: 30s, 10m, 24h, 7d',
    ],
    [replaced('timeout: 10m', 'timeout: 3d'), 'environments[1].endToEnd.timeout: allowed are 10s to 2h'],
    [replaced('timeout: 10m', 'services: []'), 'environments[1].endToEnd.services: is empty'],
    [
      replaced('CLAIMS_URL', 'GITOPS_COMMIT'),
      'environments[1].endToEnd.env.GITOPS_COMMIT: variables that begin with GITOPS_ are set by this program',
    ],
    [
      replaced('approval: review', 'mayBeDegraded: { certificate: 5m }'),
      'environments[1].mayBeDegraded.certificate: a kind is written as in its manifest: Certificate',
    ],
    [
      replaced('approval: review', 'mayBeDegraded: { Certificate: 5s }'),
      'environments[1].mayBeDegraded.Certificate: allowed are 30s to 6h',
    ],
    [
      replaced('platform: brainsait-rcm', 'platform: 17'),
      'platform: takes text, not a number (put it in quotes)',
    ],
    [replaced('platform: brainsait-rcm', 'platform:'), 'platform: is empty: it takes text'],
    [
      replaced('discover: [', 'discover: [7, '),
      'services.discover[0]: takes text, not a number (put it in quotes)',
    ],
    [
      replaced('identity: trusted-namespace', 'identity: oidc'),
      'identity: "oidc" is not allowed here: it takes trusted-namespace',
    ],
    [`${example}platform: other\n`, 'this key stands here twice'],
    [`${example}---\nplatform: other\n`, 'is more than one YAML document: remove --- and what follows'],
    [`${example}\tx: 1\n`, 'Tabs are not allowed as indentation'],
    ['', 'is empty: it takes keys and values'],
    ['[]', 'takes keys and values, not a list'],
  ];
  for (const [text, complaint] of cases) expect(complaints(text).map(withoutPlace)).toEqual([complaint]);
});

test.each([
  [{ image: false }, 'path: is missing'],
  [{ path: null }, 'path: is empty'],
  [{ path: 5 }, 'path: 5 is not allowed here'],
  [{ path: ['a'] }, 'path: a list is not allowed here'],
  [{ path: 'a', context: 5 }, 'context: 5 is not allowed here'],
  [{ path: 'a', context: false }, 'context: false is not allowed here'],
])('a service of %j is told that it takes a folder', (orders, complaint) => {
  const text = stringify({ ...least, services: { explicit: { orders } } });
  expect(complaints(text).map(withoutPlace)).toEqual([
    `services.explicit.orders.${complaint}: it takes a folder of the repository, or . for all of it`,
  ]);
});

test('each key that takes values of several shapes says which they are', () => {
  const told: (string | undefined)[] = [];
  z.toJSONSchema(configSchema, {
    io: 'input',
    override({ zodSchema }) {
      if (!(zodSchema instanceof z.ZodUnion)) return;
      told.push(z.safeParse(zodSchema, Symbol('no shape of it')).error?.issues[0]?.message);
    },
  });
  expect(told).not.toEqual([]);
  expect(told).not.toContain('Invalid input');
});

test('all problems are told at once, in the order of the file', () => {
  const text = stringify({
    ...least,
    platfrom: 'x',
    forge: { ...least.forge, kind: 'gitlab' },
    environments: [{ name: 'dev', entersBy: 'psh' }, { name: 'Production' }],
  });
  const told = complaints(`${text}platform: twice\n`);
  expect(told.map(withoutPlace)).toEqual([
    'forge.kind: "gitlab" is not allowed here: it takes gitea or github',
    'environments[0].entersBy: "psh" is not allowed here: it takes push or pull-request',
    'environments[1].name: a name has 2 to 40 lower-case letters, digits or dashes',
    expect.stringMatching(/^platfrom: there is no such key\. Allowed here: platform, /),
    'this key stands here twice',
  ]);
  const lines = told.map((line) => Number(line.split(':')[1]));
  expect(lines).toEqual(lines.toSorted((a, b) => a - b));
});

test('what may be a secret is not told back', () => {
  const secrets = ['"ghp_secretsecret"', '123454321', '{ value: ghp_secretsecret }', '[ghp_secretsecret]'];
  for (const secret of secrets) {
    const [told, ...others] = complaints(replaced('token: env:FORGE_TOKEN', `token: ${secret}`));
    expect(told).toMatch(/repository\.token: (a secret is named by env:NAME|takes text)/);
    expect(told).not.toMatch(/ghp_|12345/);
    expect(others).toEqual([]);
  }
  const url = 'https://bot:sesame@forge.example/team/platform.git';
  const told = complaints(stringify({ ...least, repository: { url } }));
  expect(told).toEqual([expect.stringContaining('repository.url: credentials do not belong into a URL')]);
  expect(told.join()).not.toContain('sesame');
});

test('aliases are refused, before they stand for thousands', () => {
  expect(complaints(withLine('x: [&a 1, *a]'))).toEqual([
    expect.stringMatching(/YAML aliases \(\*a\) are not allowed here: write it out$/),
  ]);
  const letters = Array.from('abcdefghijklm');
  const bomb = letters.map((letter, i) => {
    const before = letters[i - 1];
    return `${letter}: &${letter} [${Array(9)
      .fill(before === undefined ? 'x' : `*${before}`)
      .join(', ')}]`;
  });
  expect(complaints(bomb.join('\n'))).toHaveLength(3);
});

test.each([
  ['sequences', '['.repeat(20_000) + ']'.repeat(20_000)],
  ['maps', `${'{a: '.repeat(20_000)}1${'}'.repeat(20_000)}`],
  ['list items', `\n  ${'- '.repeat(20_000)}1`],
])('%s within each other, 20,000 deep, are refused', (_, value) => {
  const told = complaints(withLine(`x: ${value}`));
  expect(told[0]).toMatch(/is nested too deeply$/);
});

test.each([
  ['a key of several words', '? [a]\n: x', 'a key is one word here'],
  ['keys within keys', `${'? '.repeat(500)}a`, 'a key is one word here'],
  ['a prototype', '__proto__: { platform: x }', '__proto__ is no name for anything'],
  ['code', 'platform: !!js/function x', 'Unresolved tag: tag:yaml.org,2002:js/function'],
  ['a merge', '<<: { platform: x }', '<<: there is no such key'],
])('%s, which no configuration needs, is refused', (_, line, why) => {
  expect(complaints(withLine(line)).join('\n')).toContain(why);
});

test.each([
  ['a service', { services: { discover: [], explicit: JSON.parse('{"__proto__": {"path": "a/b"}}') } }],
  ['a person', { people: JSON.parse('{"__proto__": {}, "board-1": {}, "board-2": {}}') }],
])('%s named __proto__ is refused, not left out', (_, changes: object) => {
  const text = stringify({ ...least, ...changes });
  expect(text).toContain('__proto__:');
  expect(complaints(text)).toEqual([expect.stringContaining('__proto__ is no name for anything')]);
});

test('a file that is not there, no file or too large says so', () => {
  expect(() => loadConfig('/nowhere/gitops.yaml')).toThrow(
    '/nowhere/gitops.yaml:1:1: cannot be read (ENOENT). --config or GITOPS_CONFIG says where the configuration is.',
  );
  expect(() => loadConfig('/')).toThrow(/cannot be read \(EISDIR\)/);
  expect(complaints(`${example}#${'x'.repeat(1024 * 1024)}`)).toEqual([
    'gitops.yaml:1:1: is larger than a megabyte',
  ]);
});

test('files that it names lie from where it lies on; what is fetched stays as it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-config-'));
  const sha256 = 'a'.repeat(64);
  const loaded = (manifest: string) => {
    const recreation = { drill: { kubeconfig: 'scratch/config' } };
    const file = join(folder, 'gitops.yaml');
    writeFileSync(file, stringify({ ...least, argocd: { install: { manifest, sha256 } }, recreation }));
    return loadConfig(file);
  };
  const { argocd, recreation } = loaded('../argocd.yaml');
  expect(argocd.install?.manifest).toBe(join(folder, '../argocd.yaml'));
  expect(recreation.drill?.kubeconfig).toBe(join(folder, 'scratch/config'));
  for (const manifest of ['/etc/argocd.yaml', 'https://mirror.example/argocd/v3.6.1/install.yaml']) {
    expect(loaded(manifest).argocd.install?.manifest).toBe(manifest);
  }
  rmSync(folder, { recursive: true });
});

test('whatever is in the file, it is a configuration or tells where it is none', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...example.split('\n')),
    fc.stringMatching(/^[ ]{0,4}[a-z]{1,8}: [-[\]{}&*!|>'"%@`0-9a-z:,# ]{0,12}$/),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const text = lines.join('\n');
      const last = text.split(/\r\n|\n/).length;
      for (const told of complaints(text)) {
        const [, number = ''] = /^gitops\.yaml:(\d+):\d+: [^]/.exec(told) ?? [];
        if (number === '') continue; // A message of more than one line.
        expect(Number(number)).toBeGreaterThan(0);
        expect(Number(number)).toBeLessThanOrEqual(last);
      }
    }),
    { numRuns: 300 },
  );
});

test('wherever a value of the example is replaced by nonsense, that very place is told', () => {
  const lines = new LineCounter();
  const places: { start: number; end: number; line: number }[] = [];
  visit(parseDocument(example, { lineCounter: lines }), {
    Pair(_, { value }) {
      if (!isScalar(value) || !value.range) return;
      const [start, end] = value.range;
      places.push({ start, end, line: lines.linePos(start).line });
    },
  });
  expect(places.length).toBeGreaterThan(30);
  for (const { start, end, line } of places) {
    const told = complaints(`${example.slice(0, start)}[[]]${example.slice(end)}`);
    expect(told).toEqual([expect.stringMatching(new RegExp(`^gitops\\.yaml:${line}:`))]);
  }
});

test('wherever a key that nobody knows is put into the example, that very place is told', () => {
  const lines = new LineCounter();
  const places: { start: number; line: number; column: number }[] = [];
  visit(parseDocument(example, { lineCounter: lines }), {
    Map(_, { flow, items: [first] }) {
      const key = first?.key;
      if (flow || !isScalar(key) || !key.range) return;
      const [start] = key.range;
      // Variables, services and people have names of their own.
      if (/^(CLAIMS_URL|platform: {|board-1)/.test(example.slice(start))) return;
      const { line, col: column } = lines.linePos(start);
      places.push({ start, line, column });
    },
  });
  expect(places.length).toBeGreaterThan(8);
  for (const { start, line, column } of places) {
    const key = `zzzz: 1\n${' '.repeat(column - 1)}`;
    expect(complaints(example.slice(0, start) + key + example.slice(start))).toEqual([
      expect.stringMatching(new RegExp(`^gitops\\.yaml:${line}:${column}: \\S*zzzz: there is no such key`)),
    ]);
  }
});
