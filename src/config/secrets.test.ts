import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readSecret } from './secrets.ts';

test('a secret is read from where its reference says, without the line end', () => {
  vi.stubEnv('TEST_SECRET', 'sesame');
  const file = join(mkdtempSync(join(tmpdir(), 'secret-')), 'token:1');
  writeFileSync(file, 'sesame\n');
  expect(readSecret('env:TEST_SECRET')).toBe('sesame');
  expect(readSecret(`file:${file}`)).toBe('sesame');
});

test('one that is missing or empty is told by its reference', () => {
  vi.stubEnv('TEST_SECRET', ' \n');
  expect(() => readSecret('env:TEST_SECRET')).toThrow(
    'The secret env:TEST_SECRET is empty or not there. Set it where the worker runs.',
  );
  expect(() => readSecret('env:TEST_NO_SECRET')).toThrow(/^The secret env:TEST_NO_SECRET is empty/);
  expect(() => readSecret('file:/nowhere/token')).toThrow(
    'The secret file:/nowhere/token cannot be read (ENOENT).',
  );
});
