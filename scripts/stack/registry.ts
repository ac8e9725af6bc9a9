// The image registry, filled from the cache, and buildah's settings for it.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { answersOk } from './answers.ts';
import { make, type Recipe } from './artifacts.ts';
import { registriesConf, registryConfig } from './images.ts';
import { ports, registry, state } from './paths.ts';
import { ensure } from './processes.ts';
import { run } from './run.ts';

const directory = join(state, 'registry');
const storage = join(directory, 'storage');
/** Images share folders, which two copies at once would both create. */
const oneCopy = pLimit(1);

/** What tells buildah (and podman, skopeo) to use the local registry, without touching the machine's /etc. */
export const containersEnvironment = {
  CONTAINERS_REGISTRIES_CONF: join(state, 'containers/registries.conf'),
  CONTAINERS_STORAGE_CONF: join(state, 'containers/storage.conf'),
  BUILDAH_ISOLATION: 'chroot',
};

export async function startRegistry(): Promise<void> {
  mkdirSync(storage, { recursive: true });
  writeContainersSettings();
  const config = join(directory, 'config.yml');
  writeFileSync(config, registryConfig(storage, `127.0.0.1:${ports.registry}`));
  await ensure({
    name: 'registry',
    command: ['docker-registry', 'serve', config],
    ready: () => answersOk(`http://${registry}/v2/`),
  });
}

/** Puts the image into the registry, unless it is there. */
export async function provide(image: Recipe): Promise<void> {
  mkdirSync(storage, { recursive: true });
  const built = await make(image);
  const mark = join(directory, built.split('/').at(-1) ?? '');
  await oneCopy(async () => {
    if (existsSync(mark)) return;
    await run('cp', ['--archive', '--reflink=auto', `${join(built, 'registry')}/.`, storage]);
    writeFileSync(mark, '');
  });
}

function writeContainersSettings(): void {
  mkdirSync(join(state, 'containers'), { recursive: true });
  writeFileSync(containersEnvironment.CONTAINERS_REGISTRIES_CONF, registriesConf(registry));
  const [root, runroot] = ['storage', 'run'].map((name) => JSON.stringify(join(state, 'containers', name)));
  writeFileSync(
    containersEnvironment.CONTAINERS_STORAGE_CONF,
    `[storage]\ndriver = "vfs"\ngraphroot = ${root}\nrunroot = ${runroot}\n`,
  );
}
