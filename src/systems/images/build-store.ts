import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { isAliveElsewhere } from '../work-directory/leftovers.ts';
import { endsWithUs } from '../commands/confinement.ts';

/** The command that works on the layers below a folder. Workers of a platform on one machine share them. */
export function buildahIn(directory: string): readonly [string, ...string[]] {
  const storage = [
    ...['--root', join(directory, 'storage'), '--runroot', join(directory, 'run')],
    ...['--storage-driver', 'overlay'],
  ];
  // What it mounts would outlive one that is killed, were it not in a mount namespace that ends with it.
  const ownMounts = process.getuid?.() === 0 ? ['unshare', '--mount', '--'] : [];
  return [...endsWithUs, ...ownMounts, 'buildah', ...storage];
}

const buildsIn = (directory: string): string => join(directory, 'builds');

/** Gives a build a folder of its own, whose name tells whose it is and since when. */
export async function withBuildFolder<T>(
  directory: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const builds = buildsIn(directory);
  await mkdir(builds, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(builds, `${process.pid}-${Date.now()}-`));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The name of an image until it is pushed; each attempt has its own, so that two side by side do not mix theirs up. */
export const localName = (name: string, tag: string, folder: string): string =>
  `${name}:local-${tag.slice(0, 12)}-${folder.slice(-6)}`;

/**
 * Removes containers, images and files of builds that were killed together with their worker. For a worker that has just
 * been started.
 */
export async function clearDeadBuilds(directory: string): Promise<void> {
  // Listed before the build folders: a build makes its folder first, so what is found here and belongs to a live build has
  // its folder in the list below, and is younger than it.
  const [containers, images] = await Promise.all([containersIn(directory), localImagesIn(directory)]);
  const temporary = await readdir(join(directory, 'tmp')).catch(() => []);

  const folders = await readdir(buildsIn(directory)).catch(() => []);
  const [alive, dead] = [folders.filter(isOfLiving), folders.filter((folder) => !isOfLiving(folder))];
  const oldest = Math.min(...alive.map((folder) => Number(folder.split('-')[1])));
  const isDead = async (path: string) =>
    ((await stat(path).catch(() => undefined))?.mtimeMs ?? oldest) < oldest;

  for (const id of containers) {
    if (await isDead(join(directory, 'storage/overlay-containers', id))) await buildah(directory, 'rm', id);
  }
  for (const image of images) {
    if (!alive.some((folder) => image.endsWith(folder.slice(-6)))) await buildah(directory, 'rmi', image);
  }
  for (const name of temporary) {
    const path = join(directory, 'tmp', name);
    if (await isDead(path)) await rm(path, { recursive: true, force: true });
  }
  for (const folder of dead) await rm(join(buildsIn(directory), folder), { recursive: true, force: true });
}

const isOfLiving = (folder: string): boolean => isAliveElsewhere(Number(folder.split('-')[0]));

async function containersIn(directory: string): Promise<string[]> {
  return (await buildah(directory, 'containers', '--quiet', '--notruncate')).split('\n').filter(Boolean);
}

const imagesSchema = z.array(z.object({ names: z.array(z.string()).nullish() }));

async function localImagesIn(directory: string): Promise<string[]> {
  const shown = await buildah(directory, 'images', '--json');
  if (shown === '') return [];
  const names = imagesSchema.parse(JSON.parse(shown)).flatMap((image) => image.names ?? []);
  return names.filter((name) => /:local-[0-9a-f]{12}-\w{6}$/.test(name));
}

/** @returns nothing when it fails: the next start of a worker tries again */
async function buildah(directory: string, ...args: string[]): Promise<string> {
  const [program, ...before] = buildahIn(directory);
  const { stdout, failed } = await execa(program, [...before, ...args], {
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: directory },
    extendEnv: false,
    reject: false,
    timeout: 60_000,
  });
  return failed ? '' : stdout;
}
