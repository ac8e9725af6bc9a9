import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

/**
 * Clones a repository and puts files on its protected branch, in one commit, however many they are.
 *
 * @returns the commit
 */
export async function pushFiles(
  url: string,
  clone: string,
  env: Record<string, string>,
  files: Record<string, string>,
): Promise<string> {
  const git = async (...args: string[]) => (await execa('git', args, { cwd: clone, env })).stdout;
  await mkdir(clone);
  await git('clone', '--quiet', url, '.');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(clone, path)), { recursive: true });
    await writeFile(join(clone, path), text);
  }
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'Add services');
  await git('push', '--quiet');
  return git('rev-parse', 'HEAD');
}

/** The machine's own settings of Git stay out of it, and the token out of process lists. */
export function gitEnvironment(token: string): Record<string, string> {
  const credentials = Buffer.from(`x-access-token:${token}`).toString('base64');
  const settings = {
    'http.extraHeader': `Authorization: Basic ${credentials}`,
    'user.name': 'bench',
    'user.email': 'bench@example.com',
  };
  const entries = Object.entries(settings).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    ...(Object.fromEntries(entries) as Record<string, string>),
    GIT_CONFIG_COUNT: String(Object.keys(settings).length),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
}
