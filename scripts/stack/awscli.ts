// Amazon's command line, for benches: no part of the stack, so that those alone who measure wait for it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { make, type Recipe } from './artifacts.ts';
import { checkout } from './paths.ts';
import { run } from './run.ts';

const requirements = join(checkout, 'stack/python/bench-requirements.txt');

const awscli: Recipe = {
  name: 'awscli',
  seconds: 15,
  inputs: [readFileSync(requirements, 'utf8')],
  needs: [],
  lane: pLimit(1),
  build: async (directory) => {
    const args = ['--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', '--target', directory];
    await run('python3', ['-m', 'pip', 'install', ...args, '-r', requirements], { timeout: 10 * 60_000 });
  },
};

/** What lets a shell find `aws`. */
export async function awsEnvironment(): Promise<Record<string, string>> {
  const folder = await make(awscli);
  return { PYTHONPATH: folder, PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}` };
}
