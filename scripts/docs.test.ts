import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandLines, pages, root, type Page } from '../test/support/pages.ts';

const read = (name: string): string => readFileSync(join(root, name), 'utf8');

/** As forges make them of a heading. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

function brokenLinks({ name, text }: Page): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? name : join(name, '..', path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
}

test.for(pages)('links in $name lead somewhere', (page) => expect(brokenLinks(page)).toEqual([]));

test('pages name targets of make and scripts of npm that there are', () => {
  const targets = read('Makefile').match(/^[\w-]+(?=:)/gm) ?? [];
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const lines = pages.flatMap(commandLines);
  const named = (pattern: RegExp) =>
    new Set(lines.flatMap((line) => [...line.matchAll(pattern)].map(([, name]) => name)));
  expect(targets).toEqual(expect.arrayContaining([...named(/\bmake ([a-z][\w-]*)/g)]));
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining([...named(/\bnpm run ([\w-]+)/g)]));
});

test('every command of make is in the README', () => {
  const [, targets = ''] = /^\.PHONY: (.*)$/m.exec(read('Makefile')) ?? [];
  const readme = read('README.md');
  // `make systems` is a part of `make test`.
  for (const target of targets.split(' ').filter((name) => name !== 'systems')) {
    expect(readme).toContain(`\`make ${target}\``);
  }
});
