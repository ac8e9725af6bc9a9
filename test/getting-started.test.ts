import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';

const checkout = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(`${checkout}docs/getting-started.md`, 'utf8');

test('who follows docs/getting-started.md word by word delivers a service to production', async () => {
  const { exitCode, stdout, all } = await execa('bash', ['-s'], {
    cwd: checkout,
    input: script(await underAnotherName(page)),
    timeout: 9 * 60_000,
    all: true,
    reject: false,
  });
  if (exitCode !== 0) throw new Error(all);
  expect(stdout).toContain('{"total":180}');
  expect(stdout).toMatch(/ production succeeded in /);
}, 600_000);

/** A person may be trying the same page on the same stack. */
async function underAnotherName(text: string): Promise<string> {
  const id = randomUUID().slice(0, 6);
  return text
    .replaceAll('bakery', `bakery-${id}`)
    .replaceAll('orders', `orders-${id}`)
    .replaceAll('8081', String(await freePort()));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** The page's blocks in order, in one shell; the last one takes everything away again, however the others end. */
function script(text: string): string {
  const blocks = [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = '', code = '']) =>
    language === 'sh' ? commands(code) : file(code),
  );
  const takeAway = blocks.pop() ?? '';
  return [
    'set -euo pipefail',
    `end() { status=$?; set +e; cd /tmp; {\n${takeAway}} >/dev/null 2>&1; exit $status; }`,
    'trap end EXIT',
    ...blocks,
  ].join('\n');
}

/** Where the page says to look at the status until people are asked, this does. */
const commands = (code: string): string => {
  const [asked] = /orders-\w+\/\$commit/.exec(code) ?? [];
  return code.startsWith('gitops approve')
    ? `until gitops status "${asked ?? ''}" | grep -q '1 of 1 approvals'; do sleep 1; done\n${code}`
    : code;
};

/** A block whose first line names a file. */
function file(code: string): string {
  const [, path] = /^(?:#|\/\/) (\S+)\n/.exec(code) ?? [];
  if (path === undefined) throw new Error(`This block names no file in its first line:\n${code}`);
  return `mkdir -p "$(dirname "${path}")"\ncat >"${path}" <<'END_OF_FILE'\n${code}END_OF_FILE`;
}
