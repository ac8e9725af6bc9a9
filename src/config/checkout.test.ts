import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCheckout } from './checkout.ts';

test('a folder is read as its commit would be: without tools’ folders, and no link is followed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'checkout-'));
  for (const path of ['.git', 'node_modules/x', 'services/claims/.deploy']) {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, 'file'), path);
  }
  symlinkSync('/etc', join(folder, 'services/etc'));
  symlinkSync('/etc/hostname', join(folder, 'services/hostname'));
  symlinkSync('..', join(folder, 'services/loop'));

  const tree = readCheckout(folder);
  expect(tree.files.toSorted()).toEqual([
    'services/claims/.deploy/file',
    'services/etc',
    'services/hostname',
    'services/loop',
  ]);
  expect(await tree.read('services/hostname')).toBe('/etc/hostname');
  expect(tree.links?.toSorted()).toEqual(['services/etc', 'services/hostname', 'services/loop']);
  expect(await tree.read('services/claims/.deploy/file')).toBe('services/claims/.deploy');
});
