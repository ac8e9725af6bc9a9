import { listServices } from '../config/services.ts';
import { featuresIn } from '../model/dockerfile.ts';
import { builderVersion } from '../systems/images/builder-version.ts';
import { ok, warning, type Check } from './check.ts';

/** Whether the builder knows what the Dockerfiles are written in. The one that is here, which may not be a worker's. */
export const builder: Check = {
  name: 'builder',
  async *look({ config, tree }) {
    // Where the repository cannot be read, `layout` tells.
    const files = await tree().catch(() => undefined);
    if (!files) return;
    const version = await builderVersion();
    let knowsAll = version !== undefined;
    for (const { dockerfile, source } of listServices(config, files.files).values()) {
      // Of a repository that holds sources alone the build itself tells.
      if (source || dockerfile === undefined || !files.files.includes(dockerfile)) continue;
      for (const { name, since } of featuresIn((await files.read(dockerfile)) ?? '')) {
        if (version !== undefined && isAtLeast(version, since)) continue;
        knowsAll = false;
        const here = version === undefined ? 'There is no buildah here to look at' : `Here is ${version}`;
        yield warning(
          'builder',
          `${dockerfile} has ${name}, which buildah knows from ${since} on. ${here}.`,
          'Have that version where the queue build is served, or write it without.',
        );
      }
    }
    if (knowsAll) yield ok('builder', `buildah ${version} knows what the Dockerfiles are written in.`);
  },
};

const isAtLeast = (version: string, wanted: string): boolean =>
  version.localeCompare(wanted, 'en', { numeric: true }) >= 0;
