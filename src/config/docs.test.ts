import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { configuration } from '../../test/support/configuration.ts';
import { jsonSchema } from './json-schema.ts';
import { parseConfig } from './load.ts';
import { listServices } from './services.ts';

interface Schema {
  default?: unknown;
  enum?: string[];
  const?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
}

interface Key {
  path: string;
  /** As the page's column has it. */
  fallback: string;
  values: string[];
}

/** Not in the schema, since it follows from other keys. */
const worked = { 'environments[].namespace': '`<platform>-<name>`' };

/** Every key that can be written, by its path: `environments[].approval.quorum`, `people.<name>`. */
function keysOf(schema: Schema, path = ''): Key[] {
  const {
    properties = {},
    additionalProperties,
    items,
    required = [],
  } = schema.anyOf?.find((one) => one.properties) ?? schema;
  const others = typeof additionalProperties === 'object' ? { '<name>': additionalProperties } : {};
  const own = Object.entries({ ...properties, ...others }).flatMap(([name, child]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const fallback = required.includes(name) ? 'required' : shown(child.default);
    return [{ path: at, fallback, values: valuesOf(child) }, ...keysOf(child, at)];
  });
  return [...own, ...(items ? keysOf(items, `${path}[]`) : [])];
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** What a value may be, where the schema lists it. */
const valuesOf = ({ enum: listed = [], const: only, anyOf = [] }: Schema): string[] => [
  ...listed,
  ...(only === undefined ? [] : [only]),
  ...anyOf.flatMap(valuesOf),
];

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string): string => readFileSync(root + name, 'utf8');
const keys = keysOf(jsonSchema());
const rows = [
  ...read('docs/configuration.md').matchAll(/^\| `([a-z][^`]*)` *\| [^|]+ \| ([^|]*) \| (.*) \|$/gm),
].map(([, path = '', fallback = '', meaning = '']) => ({ path, fallback: fallback.trim(), meaning }));

test('docs/configuration.md has a row for every key, with its default', () => {
  const expected = Object.fromEntries(keys.map(({ path, fallback }) => [path, fallback]));
  const documented = Object.fromEntries(rows.map(({ path, fallback }) => [path, fallback]));
  expect(documented).toEqual({ ...expected, ...worked });
});

test('docs/configuration.md names every value of a key that takes only some', () => {
  for (const { path, values } of keys) {
    const { meaning } = rows.find((row) => row.path === path) ?? {};
    for (const value of values) expect(meaning).toContain(`\`${value}\``);
  }
});

test('docs/cli.md names all that gitops config show says of a service', () => {
  const [, listed = ''] = /"services": \[\{("name", [^}]*)\}\]/.exec(read('docs/cli.md')) ?? [];
  const claims = {
    path: 'claims',
    source: { repository: 'https://forge.example/team/claims.git', base: 'deploy/base' },
    test: ['npm', 'test'],
    target: 'run',
    buildArgs: { VERSION: '1' },
  };
  const config = configuration({ services: { ignore: ['*.md'], explicit: { claims } } });
  const said = listServices(config, []).get('claims') ?? {};
  expect(listed.match(/\w+/g)?.toSorted()).toEqual(Object.keys(said).toSorted());
});

test('every whole gitops.yaml that a page shows is valid', () => {
  const pages = ['README.md', ...readdirSync(`${root}docs`).map((name) => `docs/${name}`)];
  const whole = pages
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => [...read(name).matchAll(/^```yaml\n((?:#.*\n)?platform:[^]*?)^```$/gm)]);
  expect(whole.length).toBeGreaterThan(1);
  for (const [, text = ''] of whole) parseConfig(text);
});
