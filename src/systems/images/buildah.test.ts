import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createBuildah } from './buildah.ts';

test('a push that fails names the image as people know it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'buildah-'));
  const context = await mkdtemp(join(tmpdir(), 'context-'));
  // Lets a push begin, and takes nothing.
  const registry = createServer((request, response) => {
    const begins = request.method === 'POST';
    response.writeHead(begins ? 202 : 404, begins ? { location: '/v2/bakery/orders/blobs/uploads/1' } : {});
    request.resume().on('end', () => response.end());
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  try {
    await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
    const images = createBuildah({ directory: folder, registry: { host, insecure: true } });
    const pushed = images.buildAndPush(
      {
        context,
        dockerfile: join(context, 'Dockerfile'),
        timeoutMs: 60_000,
        signal: AbortSignal.timeout(120_000),
        onOutput: () => undefined,
      },
      { name: `${host}/bakery/orders`, tag: '3f'.repeat(20), labels: {}, createdAt: 0 },
    );
    await expect(pushed).rejects.toThrow(
      `The image could not be pushed to ${host}/bakery/orders:${'3f'.repeat(20)}. Its log says why.`,
    );
  } finally {
    registry.close();
    await Promise.all([folder, context].map((path) => rm(path, { recursive: true, force: true })));
  }
}, 180_000);
