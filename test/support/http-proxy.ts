import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Asked {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
  /** Hangs up in the middle of it. */
  cut?: boolean;
}

/**
 * Stands in front of another server of this machine.
 *
 * @param serve gives the answer, for which it may pass on what was asked; undefined hangs up without one
 */
export async function httpProxy(
  target: URL,
  serve: (asked: Asked, pass: (asked: Asked) => Promise<Answer>) => Promise<Answer | undefined>,
): Promise<{ endpoint: string; close(): void }> {
  const server = createServer((incoming, outgoing) => {
    void respond(incoming, outgoing).catch(() => outgoing.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  async function pass({ method, url: path, headers, body }: Asked): Promise<Answer> {
    const asking = request({ host: target.hostname, port: target.port, method, path, headers });
    const [response] = (await once(asking.end(body), 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 500, headers: response.headers, body: await buffer(response) };
  }

  async function respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = incoming;
    const answer = await serve({ method, url, headers, body: await buffer(incoming) }, pass);
    if (!answer) {
      outgoing.destroy();
      return;
    }
    const { 'content-length': length, 'transfer-encoding': _, ...rest } = answer.headers;
    outgoing.writeHead(answer.status, {
      ...rest,
      'content-length': method === 'HEAD' ? length : answer.body.length,
    });
    if (answer.cut) {
      outgoing.write(answer.body.subarray(0, answer.body.length / 2), () => outgoing.destroy());
      return;
    }
    outgoing.end(answer.body);
  }

  return {
    endpoint: `http://127.0.0.1:${port}${target.pathname.replace(/\/$/, '')}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
