import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What happens to one request: `lose` lets it through and hangs up without the answer. */
export type Mishap = 'lose' | { status: number; code: string } | ((body: Buffer) => Buffer);

/** Stands in front of the stack's S3 and lets happen what a bad day brings. */
export async function s3Proxy(): Promise<{
  endpoint: string;
  /** Asked for every request; undefined lets it pass. */
  mishap: (method: string, path: string) => Mishap | undefined;
  close(): void;
}> {
  const target = new URL(process.env['S3_ENDPOINT'] ?? 'http://127.0.0.1:8333');
  const server = createServer((asked, answer) => {
    void serve(asked, answer).catch(() => answer.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy = {
    endpoint: `http://127.0.0.1:${port}`,
    mishap: (_method: string, _path: string): Mishap | undefined => undefined,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };

  async function serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = asked;
    const body = await buffer(asked);
    const mishap = proxy.mishap(method, url);
    if (typeof mishap === 'object') {
      const { status, code } = mishap;
      answer.writeHead(status, { 'Content-Type': 'application/xml' });
      answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
      return;
    }
    const [response] = (await once(
      request({ host: target.hostname, port: target.port, method, path: url, headers }).end(body),
      'response',
    )) as [IncomingMessage];
    const received = await buffer(response);
    if (mishap === 'lose') {
      answer.destroy();
      return;
    }
    const sent = mishap ? mishap(received) : received;
    const { 'content-length': length, 'transfer-encoding': _, ...rest } = response.headers;
    answer.writeHead(response.statusCode ?? 500, {
      ...rest,
      'content-length': method === 'HEAD' ? length : sent.length,
    });
    answer.end(sent);
  }

  return proxy;
}
