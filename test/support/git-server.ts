import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { execa } from 'execa';

interface Refusal {
  status: number;
  /** Git shows it as what the remote says. */
  words?: string;
  headers?: Record<string, string>;
}

export interface GitServer {
  /** Of the repository. */
  url: string;
  /** What it answers instead of serving a push, or everything. */
  refuse: { push?: Refusal; all?: Refusal };
  requests: string[];
  close(): Promise<void>;
}

/** Serves a bare repository over HTTP, by git's own server, except for what a test has it refuse. */
export async function startGitServer(repository: string): Promise<GitServer> {
  const refuse: GitServer['refuse'] = {};
  const requests: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const url = incoming.url ?? '';
    requests.push(`${incoming.method} ${url}`);
    const refusal = refuse.all ?? (url.includes('git-receive-pack') ? refuse.push : undefined);
    if (refusal) {
      outgoing.writeHead(refusal.status, { 'content-type': 'text/plain', ...refusal.headers });
      outgoing.end(refusal.words);
    } else void serve(repository, incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/${basename(repository)}`,
    refuse,
    requests,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

/** @see https://git-scm.com/docs/git-http-backend */
async function serve(repository: string, incoming: IncomingMessage, outgoing: ServerResponse) {
  const { pathname, search } = new URL(incoming.url ?? '', 'http://git');
  const { headers } = incoming;
  const { stdout } = await execa('git', ['http-backend'], {
    env: {
      GIT_PROJECT_ROOT: dirname(repository),
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REMOTE_USER: 'bot',
      REQUEST_METHOD: incoming.method ?? '',
      CONTENT_TYPE: headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
    },
    input: await buffer(incoming),
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  const answer = Buffer.from(stdout);
  const end = answer.indexOf('\r\n\r\n');
  const lines = answer.subarray(0, end).toString().split('\r\n');
  const found = new Map(lines.map((line) => line.split(': ', 2) as [string, string]));
  outgoing.writeHead(Number.parseInt(found.get('Status') ?? '200', 10), Object.fromEntries(found));
  outgoing.end(answer.subarray(end + 4));
}
