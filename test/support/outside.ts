import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { vi } from 'vitest';

/** A system that a repository's commands depend on: by its paths it works, fails or says nothing. */
export interface Outside {
  url: string;
  is(path: string, how: 'working' | 'failing' | 'silent'): void;
  /** Until somebody waits for an answer that does not come. */
  isWaitedFor(path: string): Promise<void>;
  /** Until nobody does any more. */
  isLeftAlone(path: string): Promise<void>;
  close(): void;
}

export async function startOutside(): Promise<Outside> {
  const paths = new Map<string, 'working' | 'failing' | 'silent'>();
  const waiting = new Map<ServerResponse, string>();
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const how = paths.get(path) ?? 'working';
    if (how === 'silent') {
      waiting.set(response, path);
      response.on('close', () => waiting.delete(response));
    } else response.writeHead(how === 'working' ? 200 : 503).end(how);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const until = (path: string, wanted: boolean): Promise<void> =>
    vi.waitFor(
      () => {
        const found = [...waiting.values()].includes(path);
        if (found !== wanted) throw new Error(`${path} is ${found ? 'still' : 'not'} waited for.`);
      },
      { timeout: 60_000, interval: 100 },
    );

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    is: (path, how) => void paths.set(path, how),
    isWaitedFor: (path) => until(path, true),
    isLeftAlone: (path) => until(path, false),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
