import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readLabels } from '../systems/images/registry.ts';
import { registryAccessOf, repositoryOf } from './systems.ts';

/** Refuses everybody, and keeps with which credentials they came. */
let server: Server;
let host: string;
let came: string[];
let folder: string;
beforeEach(async () => {
  came = [];
  server = createServer(({ headers }, response) => {
    const [, encoded = ''] = headers.authorization?.split(' ') ?? [];
    came.push(Buffer.from(encoded, 'base64').toString());
    response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), 'systems-'));
  process.env['TEST_RENEWED'] = 'of-the-first-hour';
});
afterEach(async () => {
  server.close();
  delete process.env['TEST_RENEWED'];
  await rm(folder, { recursive: true });
});

test('a push token that is renewed while the worker runs is the one that is used', async () => {
  const url = `http://${host}/team/platform.git`;
  const repository = repositoryOf({ repository: { url, branch: 'main', token: 'env:TEST_RENEWED' } }, folder);
  await expect(repository.tip()).rejects.toMatchObject({ kind: 'auth' });
  process.env['TEST_RENEWED'] = 'of-the-second-hour';
  await expect(repository.tip()).rejects.toMatchObject({ kind: 'auth' });
  expect(came.at(0)).toBe('x-access-token:of-the-first-hour');
  expect(came.at(-1)).toBe('x-access-token:of-the-second-hour');
});

test("a registry's password that is renewed while the worker runs is the one that is used", async () => {
  const login = { username: 'bot', password: 'env:TEST_RENEWED' };
  const access = registryAccessOf({
    registry: { image: `${host}/{service}`, insecure: true, allowed: [], pullSecrets: [], login },
  });
  const image = { name: `${host}/web`, digest: `sha256:${'d'.repeat(64)}` };
  await expect(readLabels(access, image)).rejects.toThrow();
  process.env['TEST_RENEWED'] = 'of-the-second-hour';
  await expect(readLabels(access, image)).rejects.toThrow();
  expect(came).toContain('bot:of-the-first-hour');
  expect(came.at(-1)).toBe('bot:of-the-second-hour');
});
