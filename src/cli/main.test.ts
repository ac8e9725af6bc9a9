import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

test.each(['--version', '-V'])(
  'gitops %s prints the version of the package, and needs nothing',
  async (option) => {
    const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };
    const { stdout, stderr } = await execa(process.execPath, [`${root}bin/gitops.js`, option], { cwd: '/' });
    expect([stdout, stderr]).toEqual([version, '']);
  },
);
