import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Service } from '../../config/services.ts';
import { isWithin } from '../../systems/work-directory/is-within.ts';
import type { Build } from '../../systems/images/index.ts';
import { refused } from '../failures.ts';

/** What the builder reads of a context outside of the chroot in which it copies; a Dockerfile may have its own. */
const ignoreFiles = ['.containerignore', '.dockerignore'];

/**
 * What a service's image is built from, in a checkout. The builder reads it as its own user, so none of it may be a link
 * to what lies outside.
 *
 * @throws Refused: a link leads out of the checkout, or to nothing
 */
export async function buildInput(
  checkout: string,
  { path, context = path, dockerfile = join(path, 'Dockerfile'), buildArgs }: Service,
): Promise<Pick<Build, 'context' | 'dockerfile' | 'buildArgs'>> {
  const root = await realpath(checkout);
  const inside = async (name: string): Promise<string> => {
    const found = await realpath(join(root, name)).catch(() => undefined);
    if (found === undefined) throw refused(`${name} is not there. See services in gitops.yaml.`);
    if (isWithin(root, found)) return found;
    throw refused(`${name} is a link that leads out of the repository. Put what it names into it.`);
  };
  const ignoring = [`${context}/`, dockerfile].flatMap((before) => ignoreFiles.map((file) => before + file));
  for (const name of ignoring) {
    if (await exists(join(root, name))) await inside(name);
  }
  return {
    context: await inside(context),
    dockerfile: await inside(dockerfile),
    ...(buildArgs && { buildArgs }),
  };
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
