import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Page {
  /** From the root of the repository. */
  name: string;
  text: string;
}

/** What people read: every Markdown page of this repository and its examples. */
export const pages: Page[] = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md'], { cwd: root }).map(
  (name) => ({
    name,
    text: readFileSync(root + name, 'utf8'),
  }),
);

/** What stands in a page to be typed: lines of blocks, without those that show an output, and code within sentences. */
export function commandLines({ text }: Page): string[] {
  const blocks = [...text.matchAll(/^ *```(?:sh|yaml)\n([^]*?)^ *```$/gm)].map(([, code = '']) => code);
  const spans = text.replaceAll(/^ *```[^]*?^ *```$/gm, '').matchAll(/`([^`\n]+)`/g);
  const lines = blocks.flatMap((code) => code.replaceAll(/\\\n\s*/g, '').split('\n'));
  return [...lines, ...[...spans].map(([, code = '']) => code)].filter((line) => !/^\s*(#|\/\/)/.test(line));
}
