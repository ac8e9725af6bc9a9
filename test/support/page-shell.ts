import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { root } from './pages.ts';

/** One shell in the checkout, for pages that are carried out word by word, one after the other. */
export interface PageShell {
  /** @returns what was said meanwhile; fails with that when a command did */
  run(script: string, timeout: number): Promise<string>;
  /** Ends it: what it was told to do at its end is done. */
  close(): Promise<void>;
}

/** @param atTheEnd what is done when it ends, however it ends */
export async function openPageShell(atTheEnd: string): Promise<PageShell> {
  const folder = await mkdtemp(join(tmpdir(), 'pages-'));
  const shell = execa('bash', ['-s'], { cwd: root, reject: false, all: true, stdin: 'pipe' });
  let said = '';
  shell.all.on('data', (text: Buffer) => (said += text.toString()));
  let count = 0;

  async function run(script: string, timeout: number): Promise<string> {
    const heard = said.length;
    const [file, end] = [join(folder, `${++count}.sh`), `The end of part ${count}.`];
    await writeFile(file, script);
    // Its commands must not read what the shell is to read next.
    shell.stdin.write(`source ${file} </dev/null\necho '${end}'\n`);
    const ends = Promise.withResolvers<string>();
    const late = setTimeout(() => ends.reject(new Error(`No end within ${timeout} ms:\n${said}`)), timeout);
    const look = () => {
      const at = said.indexOf(end, heard);
      if (at >= 0) ends.resolve(said.slice(heard, at));
    };
    shell.all.on('data', look);
    void shell.then(() => ends.reject(new Error(said)));
    try {
      return await ends.promise;
    } finally {
      clearTimeout(late);
      shell.all.off('data', look);
    }
  }

  await run(`set -euo pipefail\nend() {\nset +e; cd /tmp\n${atTheEnd}\n}\ntrap end EXIT`, 10_000);
  return {
    run,
    async close() {
      shell.stdin.end();
      await shell;
      await rm(folder, { recursive: true });
    },
  };
}

/** A page of `docs/`, for who follows it: the files that its blocks are and the commands that they hold, in their order. */
export function blocksOf(page: string, rename: (text: string) => string): string[] {
  const text = rename(readFileSync(`${root}docs/${page}`, 'utf8'));
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = '', code = '']) =>
    language === 'sh' ? commands(code) : file(code),
  );
}

/** Where a page says to look at the status until people are asked, this does. */
function commands(code: string): string {
  const [, change] = /^gitops approve ("[^"]+")/.exec(code) ?? [];
  return change === undefined
    ? code
    : `until gitops status ${change} | grep '1 of 1 approvals' >/dev/null; do sleep 1; done\n${code}`;
}

/** A block whose first line names a file. */
function file(code: string): string {
  const [, path] = /^(?:#|\/\/) (\S+)\n/.exec(code) ?? [];
  if (path === undefined) throw new Error(`This block names no file in its first line:\n${code}`);
  return `mkdir -p "$(dirname "${path}")"\ncat >"${path}" <<'END_OF_FILE'\n${code}END_OF_FILE\n`;
}
