import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundle, bundleFile } from '../src/worker/bundle.ts';

const workflows = fileURLToPath(new URL('../src/workflows/index.ts', import.meta.url));
const dist = new URL('../dist/', import.meta.url);
await mkdir(dist, { recursive: true });
for (const encrypted of [false, true]) {
  const { code } = await bundle(workflows, { encrypted });
  await writeFile(new URL(bundleFile(encrypted), dist), code);
}
