import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundle, bundleFile } from '../src/worker/bundle.ts';

const { code } = await bundle(fileURLToPath(new URL('../src/workflows/index.ts', import.meta.url)));
const dist = new URL('../dist/', import.meta.url);
await mkdir(dist, { recursive: true });
await writeFile(new URL(bundleFile, dist), code);
