import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test as base } from 'vitest';
import { createKubernetes } from '../kubernetes/api-client.ts';
import { ApplicationWatch } from './watch.ts';

const path = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications';

/** Answers lists and watches as an API server does, and lets a test say what happens. */
class ApiServer {
  readonly applications = new Map<string, object>();
  lists = 0;
  watches = 0;
  /** Versions below this are forgotten. */
  oldest = 0;
  down = false;
  #version = 1;
  #events: { version: number; event: string }[] = [];
  readonly #streams = new Set<ServerResponse>();
  readonly #server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    if (this.down) return response.writeHead(503).end('{"message":"etcd is away"}');
    if (!url.searchParams.has('watch')) return this.#list(url, response);
    this.watches += 1;
    const since = Number(url.searchParams.get('resourceVersion'));
    if (since < this.oldest) return response.writeHead(410).end('{}');
    response.writeHead(200).flushHeaders();
    for (const { version, event } of this.#events) if (version > since) response.write(event);
    this.#streams.add(response);
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #list({ searchParams }: URL, response: ServerResponse): void {
    this.lists += 1;
    // Pages of one, so that every list has several.
    const items = [...this.applications.values()];
    const page = Number(searchParams.get('continue') ?? 0);
    const metadata = {
      resourceVersion: String(this.#version),
      continue: page + 1 < items.length ? String(page + 1) : '',
    };
    response.end(JSON.stringify({ metadata, items: items.slice(page, page + 1) }));
  }

  set(name: string, health: string, { silently = false } = {}): void {
    this.#version += 1;
    const object = {
      metadata: { name, resourceVersion: String(this.#version) },
      spec: { destination: {} },
      status: { health: { status: health } },
    };
    const type = this.applications.has(name) ? 'MODIFIED' : 'ADDED';
    this.applications.set(name, object);
    if (!silently) this.say({ type, object });
  }

  delete(name: string): void {
    this.#version += 1;
    const object = this.applications.get(name);
    this.applications.delete(name);
    this.say({ type: 'DELETED', object });
  }

  say(event: object): void {
    const line = `${JSON.stringify(event)}\n`;
    this.#events.push({ version: this.#version, event: line });
    for (const stream of this.#streams) stream.write(line);
  }

  /** Ends every watch, politely or by pulling the plug. */
  drop({ rudely = false } = {}): void {
    for (const stream of this.#streams) {
      if (rudely) stream.destroy();
      else stream.end();
    }
    this.#streams.clear();
  }

  close(): void {
    this.drop({ rudely: true });
    this.#server.close();
  }
}

const test = base.extend<{ server: ApiServer; watch: ApplicationWatch }>({
  server: async ({}, use) => {
    const server = new ApiServer();
    await use(server);
    server.close();
  },
  watch: async ({ server }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'watch-'));
    const file = join(folder, 'config');
    const config = {
      clusters: [{ name: 'c', cluster: { server: await server.listen(), 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    await writeFile(file, JSON.stringify(config));
    const watch = new ApplicationWatch(createKubernetes(file), path);
    await use(watch);
    watch.close();
    await rm(folder, { recursive: true });
  },
});

/** Waits until an Application has this health (`absent`: is not there); fails after a minute. */
async function sees(watch: ApplicationWatch, name: string, health: string): Promise<void> {
  for await (const { application } of watch.changes(name, 60_000, AbortSignal.timeout(60_000))) {
    if ((application?.health.status ?? 'absent') === health) return;
  }
}

test('many waiters cost one list and one watch, and nobody asks before somebody waits', async ({
  server,
  watch,
}) => {
  server.set('a', 'Progressing');
  expect(server.lists).toBe(0);
  const waits = Array.from({ length: 200 }, () => sees(watch, 'a', 'Healthy'));
  await sees(watch, 'a', 'Progressing');
  server.set('a', 'Healthy');
  await Promise.all(waits);
  expect([server.lists, server.watches]).toEqual([1, 1]);
});

test('all pages of a list are read', async ({ server, watch }) => {
  for (const name of ['a', 'b', 'c']) server.set(name, 'Healthy');
  await sees(watch, 'c', 'Healthy');
  expect(server.lists).toBe(3);
});

test('an Application that comes, goes and is unknown', async ({ server, watch }) => {
  await sees(watch, 'a', 'absent');
  const comes = sees(watch, 'a', 'Healthy');
  server.set('a', 'Healthy');
  await comes;
  server.delete('a');
  await sees(watch, 'a', 'absent');
});

test.for([{ rudely: false }, { rudely: true }])(
  'a watch that ends goes on with nothing missed: %o',
  async (how, { server, watch }) => {
    server.set('a', 'Progressing');
    await sees(watch, 'a', 'Progressing');
    await expect.poll(() => server.watches).toBe(1);
    server.drop(how);
    await expect.poll(() => server.watches).toBe(2);
    server.set('a', 'Healthy');
    await sees(watch, 'a', 'Healthy');
  },
);

test('a version that the server forgot means a new list, with what changed and went meanwhile', async ({
  server,
  watch,
}) => {
  server.set('a', 'Progressing');
  server.set('gone', 'Healthy');
  await sees(watch, 'a', 'Progressing');
  server.set('a', 'Healthy', { silently: true });
  server.applications.delete('gone');
  server.oldest = 1000;
  const changed = sees(watch, 'a', 'Healthy');
  const went = sees(watch, 'gone', 'absent');
  server.drop();
  await expect.poll(() => server.watches).toBe(2);
  server.oldest = 0;
  await Promise.all([changed, went]);
});

test('an expired event in the stream means a new list', async ({ server, watch }) => {
  server.set('a', 'Progressing');
  await sees(watch, 'a', 'Progressing');
  server.set('a', 'Healthy', { silently: true });
  server.say({ type: 'ERROR', object: { kind: 'Status', code: 410 } });
  await sees(watch, 'a', 'Healthy');
});

test('who waits is told that the cluster cannot be reached, and goes on when it can', async ({
  server,
  watch,
}) => {
  server.down = true;
  for await (const { unreachable } of watch.changes('a', 60_000, AbortSignal.timeout(60_000))) {
    expect(unreachable).toContain('503 etcd is away');
    break;
  }
  server.down = false;
  server.set('a', 'Healthy');
  await sees(watch, 'a', 'Healthy');
});

test('an Application that cannot be read harms no other', async ({ server, watch }) => {
  server.applications.set('odd', { metadata: { name: 'odd', resourceVersion: '7' }, spec: 1 });
  server.set('a', 'Healthy');
  await sees(watch, 'a', 'Healthy');
  await sees(watch, 'odd', 'absent');
});

test('a waiter that was told to stop, stops', async ({ server, watch }) => {
  server.set('a', 'Progressing');
  const stop = new AbortController();
  const waiting = (async () => {
    for await (const { application } of watch.changes('a', 60_000, stop.signal)) {
      if (application) stop.abort(new Error('told to'));
    }
  })();
  await expect(waiting).rejects.toThrow('told to');
});

test('without any change, a waiter is woken in time to do something else', async ({ watch }) => {
  let wakes = 0;
  for await (const _ of watch.changes('a', 20, AbortSignal.timeout(60_000))) if ((wakes += 1) === 3) break;
  expect(wakes).toBe(3);
});
