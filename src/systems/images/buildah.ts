import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { canonicalName } from '../../model/image-name.ts';
import { proxyEnvironment } from '../network/proxies.ts';
import { buildahIn, localName, withBuildFolder } from './build-store.ts';
import type { Build, Built, Images, Push } from './index.ts';
import { readLabels, tryPush, type RegistryAccess } from './registry.ts';

export interface BuildahOptions {
  /** Where layers are kept between builds. */
  directory: string;
  registry: RegistryAccess;
}

/**
 * Builds share their layers, and one that ends removes its image: buildah before 1.43.1 fails a build that looks at a
 * layer at that very moment (https://github.com/containers/buildah/issues/5674). The image is not to blame.
 */
const lostRace = /^Error: .*layer not known"?\s*$/m;

/** A push of a large image over a slow line. */
const pushTimeoutMs = 15 * 60_000;

/**
 * buildah without a daemon. Steps of a Dockerfile run in a chroot of the image, with no environment of ours; they can
 * reach the network, so `build` workers belong where that harms nobody.
 */
export function createBuildah({ directory, registry }: BuildahOptions): Images {
  const [program, ...before] = buildahIn(directory);

  const environment = (): Record<string, string> => {
    const mirrors = process.env['CONTAINERS_REGISTRIES_CONF'];
    return {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: directory,
      TMPDIR: join(directory, 'tmp'),
      ...(mirrors !== undefined && { CONTAINERS_REGISTRIES_CONF: mirrors }),
      ...proxyEnvironment(),
      ...(registry.caFile !== undefined && { SSL_CERT_FILE: registry.caFile }),
    };
  };

  async function buildah(
    args: string[],
    { timeoutMs, signal, onOutput }: Omit<Build, 'context' | 'dockerfile'>,
  ) {
    await mkdir(join(directory, 'tmp'), { recursive: true });
    const running = execa(program, [...before, ...args], {
      env: environment(),
      extendEnv: false,
      timeout: timeoutMs,
      forceKillAfterDelay: 10_000,
      cancelSignal: signal,
      stdin: 'ignore',
      all: true,
      buffer: false,
      reject: false,
    });
    running.all.setEncoding('utf8').on('data', onOutput);
    const result = await running;
    signal.throwIfAborted();
    if (result.exitCode === 127) throw new Error('buildah is not installed where the build worker runs.');
    return result;
  }

  async function build(build: Build, more: string[]): Promise<Built<object>> {
    const { context, dockerfile, target, buildArgs = {}, onOutput } = build;
    let end = '';
    const { failed, timedOut } = await buildah(
      [
        'bud',
        ...['--isolation', 'chroot', '--layers', '--format', 'oci', `--tls-verify=${!registry.insecure}`],
        ...(target === undefined ? [] : ['--target', target]),
        ...Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
        ...more,
        ...['--file', dockerfile, context],
      ],
      {
        ...build,
        onOutput: (text) => {
          end = (end + text).slice(-1000);
          onOutput(text);
        },
      },
    );
    if (timedOut) return { state: 'timed-out' };
    if (failed && lostRace.test(end))
      throw new Error('Another build removed a layer while buildah looked at it.');
    return { state: failed ? 'failed' : 'built' };
  }

  /** Gives a build its folder, with the login in it where there is one: base images may need it too. */
  const withLogin = <T>(work: (login: string[], folder: string) => Promise<T>): Promise<T> =>
    withBuildFolder(directory, async (folder) => {
      const file = await loginFile(registry, folder);
      return work(file === undefined ? [] : ['--authfile', file], folder);
    });

  /** @param local its name until then */
  async function push(local: string, pushed: Push, login: string[], digestFile: string, shared: Build) {
    const name = canonicalName(pushed.name);
    const remote = `${name}:${pushed.tag}`;
    const { failed } = await buildah(
      [
        ...['push', `--tls-verify=${!registry.insecure}`, '--digestfile', digestFile, ...login],
        ...[local, `docker://${remote}`],
      ],
      { ...shared, timeoutMs: pushTimeoutMs },
    );
    if (failed) {
      // A registry that does not let us push says so here, and why.
      await tryPush(registry, name);
      throw new Error(`The image could not be pushed to ${remote}. Its log says why.`);
    }
    return (await readFile(digestFile, 'utf8')).trim();
  }

  return {
    tryBuild: (wanted) => withLogin((login) => build(wanted, login)),

    buildAndPush: (wanted, pushed) =>
      withLogin(async (login, folder) => {
        const { name, tag, labels, createdAt } = pushed;
        // By a name without host it would look in other registries, too.
        const local = localName(canonicalName(name), tag, folder);
        const marks = Object.entries(labels).flatMap(([key, value]) => [
          ...['--label', `${key}=${value}`],
          ...['--annotation', `${key}=${value}`],
        ]);
        const time = ['--timestamp', String(createdAt)];
        try {
          const built = await build(wanted, [...login, ...marks, ...time, '--tag', local]);
          if (built.state !== 'built') return built;
          return { state: 'built', digest: await push(local, pushed, login, join(folder, 'digest'), wanted) };
        } finally {
          await execa(program, [...before, 'rmi', local], {
            env: environment(),
            extendEnv: false,
            reject: false,
            timeout: 60_000,
          });
        }
      }),

    labels: (image) => readLabels(registry, image),
  };
}

/** Arguments can be read by everybody on a machine, so the login goes by a file of our own. */
async function loginFile({ host, login }: RegistryAccess, work: string): Promise<string | undefined> {
  if (!login) return undefined;
  const auth = Buffer.from(`${login.username}:${login.password()}`).toString('base64');
  const file = join(work, 'auth.json');
  await writeFile(file, JSON.stringify({ auths: { [host]: { auth } } }), { mode: 0o600 });
  return file;
}
