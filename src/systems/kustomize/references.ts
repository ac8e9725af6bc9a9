import { readFile, realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { chartsIn, kustomizationNames, readKustomization, referencesIn } from '../../model/kustomization.ts';
import { isWithin } from '../work-directory/is-within.ts';
import { KustomizeError } from './index.ts';

/**
 * Follows a kustomization through everything that it includes: all of it must lie in the checkout, so that what is
 * rendered is what the commit holds. No remote bases, no `..` or symbolic links out of it, no charts.
 *
 * @param root absolute, without symbolic links @param path below root
 * @throws KustomizeError that says which file names what
 */
export async function checkReferences(root: string, path: string): Promise<void> {
  const seen = new Set<string>();
  const queue = [path];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    if (seen.has(folder)) continue;
    seen.add(folder);
    const file = await kustomizationIn(root, folder);
    if (file === undefined)
      throw new KustomizeError(`There is no kustomization in ${folder}. Write a kustomization.yaml there.`);
    await refuseLinkOut(root, file);
    for (const reference of await referencesOf(root, file)) {
      const target = await resolve(root, folder, file, reference);
      if ((await stat(join(root, target))).isDirectory()) queue.push(target);
    }
  }
}

async function kustomizationIn(root: string, folder: string): Promise<string | undefined> {
  for (const name of kustomizationNames) {
    const file = join(folder, name);
    if ((await stat(join(root, file)).catch(() => undefined))?.isFile()) return file;
  }
  return undefined;
}

async function referencesOf(root: string, file: string): Promise<string[]> {
  const { kustomization, problem } = readKustomization(await readFile(join(root, file), 'utf8'));
  if (!kustomization) throw new KustomizeError(`${file} ${problem}.`);
  for (const key of chartsIn(kustomization)) {
    throw new KustomizeError(
      `${file}: ${key} brings manifests from elsewhere. Commit what it renders to instead.`,
    );
  }
  return referencesIn(kustomization);
}

async function resolve(root: string, folder: string, file: string, reference: string): Promise<string> {
  const target = await realpath(join(root, folder, reference)).catch(() => undefined);
  if (target === undefined) {
    throw new KustomizeError(
      `${file} names ${reference}, which is not in the repository (remote bases are refused).`,
    );
  }
  if (!isWithin(root, target)) {
    throw new KustomizeError(`${file} names ${reference}, which lies outside the repository.`);
  }
  return relative(root, target);
}

/** Nothing of a file of this machine is to be read, let alone quoted. */
async function refuseLinkOut(root: string, file: string): Promise<void> {
  if (isWithin(root, await realpath(join(root, file)))) return;
  throw new KustomizeError(
    `${file} is a symbolic link that leads out of the repository. Put the file itself there.`,
  );
}
