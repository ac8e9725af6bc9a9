import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { execa } from 'execa';

interface Behind {
  /** Where the system really is. */
  target: string;
  /** Asked for before anything is let through. */
  login?: { username: string; password: string };
}

/**
 * A network as companies have them: its names resolve for its proxy only, and its certificates are signed by an
 * authority of its own.
 */
export interface PrivateNetwork {
  caFile: string;
  /** For HTTPS_PROXY. */
  proxy: string;
  /** Names that somebody went to through the proxy. */
  visited: Set<string>;
  close(): Promise<void>;
}

/** @param systems by their names in it */
export async function makePrivateNetwork(systems: Record<string, Behind>): Promise<PrivateNetwork> {
  const folder = await mkdtemp(join(tmpdir(), 'private-network-'));
  await makeCertificates(folder, Object.keys(systems));
  const tls = {
    key: await readFile(join(folder, 'server.key')),
    cert: await readFile(join(folder, 'server.crt')),
  };

  const ports = new Map<string, number>();
  const servers: Server[] = [];
  for (const [name, behind] of Object.entries(systems)) {
    const server = createTlsServer(tls, (incoming, outgoing) => letThrough(behind, incoming, outgoing));
    ports.set(name, await listen(server));
    servers.push(server);
  }

  const visited = new Set<string>();
  const proxy = createServer((_, outgoing) => outgoing.writeHead(405).end());
  const open = new Set<Socket>();
  proxy.on('connect', ({ url = '' }: IncomingMessage, client: Socket) => {
    const [name = ''] = url.split(':');
    const port = ports.get(name);
    if (port === undefined) return client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    visited.add(name);
    const server = connect(port, '127.0.0.1', () =>
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n'),
    );
    for (const socket of [client, server]) open.add(socket);
    pipeline(client, server, () => undefined);
    return pipeline(server, client, () => undefined);
  });
  servers.push(proxy);

  return {
    caFile: join(folder, 'ca.crt'),
    proxy: `http://127.0.0.1:${await listen(proxy)}`,
    visited,
    async close() {
      for (const socket of open) socket.destroy();
      for (const server of servers) server.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function letThrough({ target, login }: Behind, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const basic = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  if (basic !== undefined && incoming.headers.authorization !== basic) {
    outgoing.writeHead(401, { 'www-authenticate': 'Basic realm="private"' }).end();
    return;
  }
  const headers = { ...incoming.headers, 'x-forwarded-proto': 'https' };
  const { method, url = '/' } = incoming;
  const onward = request(new URL(url, target), { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    pipeline(answer, outgoing, () => undefined);
  });
  onward.on('error', () => outgoing.destroy());
  pipeline(incoming, onward, () => undefined);
}

async function makeCertificates(folder: string, names: string[]): Promise<void> {
  const openssl = (...args: string[]) => execa('openssl', args, { cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=Private',
  );
  await openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=server');
  await writeFile(join(folder, 'names'), `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\n`);
  const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names', '-days', '2'];
  await openssl('x509', '-req', '-in', 'server.csr', ...signing, '-out', 'server.crt');
}
