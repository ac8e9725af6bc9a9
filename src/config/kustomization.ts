import { posix } from 'node:path';
import { kustomizationNames } from '../model/kustomization.ts';

/** The file by which Kustomize reads a folder, if it has one. */
export const kustomizationOf = (folder: string, files: ReadonlySet<string>): string | undefined =>
  kustomizationNames.map((name) => `${folder}/${name}`).find((file) => files.has(file));

export const isKustomization = (file: string): boolean => kustomizationNames.includes(posix.basename(file));

/** A folder or file as the kustomization in `folder` names it, from the root of the repository. */
export const resolveReference = (folder: string, reference: string): string =>
  posix.normalize(posix.join(folder, reference)).replace(/\/$/, '');

/** Whether Kustomize would fetch it from the network. */
export const isRemote = (reference: string): boolean =>
  /^[a-z][a-z0-9+.-]*:\/\/|^[a-z][a-z0-9-]*@[^/]+[:/]|^git::|^[a-z0-9-]+(\.[a-z0-9-]+)+\/.*(\/\/|\?ref=|\.git)|^github\.com[/:]/i.test(
    reference,
  );
