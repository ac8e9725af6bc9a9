// The container images the cluster and the example start from, each built once into a registry's storage.
//
// A built image is kept as the folder of a registry that holds it, so that a fresh stack's registry is
// filled by copying files.
import { spawn } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { answersOk } from './answers.ts';
import type { Recipe } from './artifacts.ts';
import { pathOf } from './artifacts.ts';
import { argocdFiles, sealedSecretsImage, toolPath, tools } from './binaries.ts';
import { checkout, registry } from './paths.ts';
import { lastLines, run } from './run.ts';
import { until } from './until.ts';

const minutes = 60_000;
const lane = pLimit(1);
const nodeBinary = join(checkout, 'node_modules/node/bin/node');

/** Registries whose names the local one answers for. */
export const mirrored = ['docker.io', 'quay.io', 'public.ecr.aws'];
export const pauseImage = `${registry}/pause:1`;

const unneeded = ['man', 'locale', 'info', 'doc/*'].map(
  (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
);
const copyright = '--dpkgopt=path-include=/usr/share/doc/*/copyright';
const debianArguments = ['--variant=minbase', '--quiet', ...unneeded, copyright, 'bookworm'];

const rootfs: Recipe = {
  name: 'debian',
  seconds: 60,
  inputs: debianArguments,
  needs: [],
  lane,
  build: async (directory) => {
    await run('mmdebstrap', [...debianArguments, join(directory, 'rootfs.tar')], {
      timeout: 15 * minutes,
      inBackground: true,
    });
  },
};

interface ImageSource {
  seconds: number;
  /** Name and tag in the registry, as the mirrored registries have it. */
  tag: string;
  from?: Recipe;
  needs?: readonly Recipe[];
  /** What the Dockerfile copies: name in the build's context to file. */
  files?: () => Record<string, string>;
  inputs?: readonly string[];
}

function image(name: string, source: ImageSource): Recipe {
  const dockerfile = join(checkout, 'stack/images', name, 'Dockerfile');
  return {
    name: `image-${name}`,
    seconds: source.seconds,
    inputs: [readFileSync(dockerfile, 'utf8'), source.tag, ...(source.inputs ?? [])],
    needs: [...(source.from ? [source.from] : []), ...(source.needs ?? [])],
    lane,
    build: async (directory, report) => {
      const context = join(directory, 'context');
      mkdirSync(context);
      for (const [file, path] of Object.entries(source.files?.() ?? {})) cpSync(path, join(context, file));
      const storage = join(directory, 'registry');
      if (source.from) cpSync(join(pathOf(source.from), 'registry'), storage, { recursive: true });
      await withRegistry(storage, directory, async (address, buildah) => {
        const reference = `${address}/${source.tag}`;
        await buildah(
          ['bud', '--isolation', 'chroot', '--file', dockerfile, '--tag', reference, context],
          report,
        );
        await buildah(['push', '--tls-verify=false', reference], report);
      });
      rmSync(context, { recursive: true });
    },
  };
}

type Buildah = (args: readonly string[], report: (line: string) => void) => Promise<unknown>;

/** A registry on a free port for the time of one build, which also answers for the mirrored names. */
async function withRegistry(
  storage: string,
  directory: string,
  use: (address: string, buildah: Buildah) => Promise<void>,
): Promise<void> {
  const address = `localhost:${await freePort()}`;
  const config = join(directory, 'registry.yml');
  const mirrors = join(directory, 'registries.conf');
  const scratch = join(directory, 'buildah');
  writeFileSync(config, registryConfig(storage, address));
  writeFileSync(mirrors, registriesConf(address));
  const log = join(directory, 'registry.log');
  const written = openSync(log, 'w');
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', written, written] });
  closeSync(written);
  try {
    await until({
      failing: `docker-registry does not answer at ${address}`,
      missing: async () => ((await answersOk(`http://${address}/v2/`)) ? undefined : 'its log ends:'),
      seconds: 30,
      every: 50,
      explain: async () => lastLines(readFileSync(log, 'utf8')),
    });
    const storageFlags = [
      '--root',
      join(scratch, 'root'),
      '--runroot',
      join(scratch, 'run'),
      '--storage-driver',
      'vfs',
    ];
    await use(address, (args, onLine) =>
      run('buildah', [...storageFlags, ...args], {
        env: { CONTAINERS_REGISTRIES_CONF: mirrors },
        timeout: 15 * minutes,
        onLine,
        inBackground: true,
      }),
    );
  } finally {
    child.kill();
    for (const path of [config, mirrors, scratch, log]) rmSync(path, { recursive: true, force: true });
  }
}

export const registryConfig = (storage: string, address: string): string => `version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: ${JSON.stringify(storage)} }
  delete: { enabled: true }
http: { addr: ${JSON.stringify(address)} }
`;

/** containers-registries.conf(5): unqualified names are Docker Hub's, and all comes from one registry. */
export const registriesConf = (address: string): string =>
  [
    'unqualified-search-registries = ["docker.io"]',
    'short-name-mode = "permissive"',
    ...[...mirrored, address].map(
      (prefix) => `[[registry]]\nprefix = "${prefix}"\nlocation = "${address}"\ninsecure = true`,
    ),
    '',
  ].join('\n');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}

const debian = image('debian', {
  seconds: 20,
  tag: 'library/debian:bookworm-slim',
  needs: [rootfs],
  files: () => ({ 'rootfs.tar': join(pathOf(rootfs), 'rootfs.tar') }),
});

const packagesOf = { from: debian };

export const images = {
  debian,
  pause: image('pause', {
    seconds: 3,
    tag: 'pause:1',
    needs: [tools.pause],
    files: () => ({ pause: toolPath('pause') }),
  }),
  'sealed-secrets': image('sealed-secrets', {
    seconds: 3,
    tag: sealedSecretsImage,
    needs: [tools['sealed-secrets']],
    files: () => ({ controller: toolPath('sealed-secrets') }),
  }),
  redis: image('redis', { ...packagesOf, seconds: 30, tag: 'docker/library/redis:8.10.1-alpine' }),
  argocd: image('argocd', {
    ...packagesOf,
    seconds: 60,
    tag: 'argoproj/argocd:v3.6.1',
    needs: [tools.argocd, tools.kustomize],
    files: () => ({
      argocd: toolPath('argocd'),
      kustomize: toolPath('kustomize'),
      ...Object.fromEntries(argocdFiles.map((file) => [file, join(pathOf(tools.argocd), file)])),
    }),
  }),
  python: image('python', { ...packagesOf, seconds: 40, tag: 'library/python:3.11-slim-bookworm' }),
  node: image('node', {
    ...packagesOf,
    seconds: 30,
    tag: 'library/node:24-bookworm-slim',
    files: () => ({ node: nodeBinary }),
    inputs: [readFileSync(join(checkout, 'node_modules/node/package.json'), 'utf8')],
  }),
} satisfies Record<string, Recipe>;
