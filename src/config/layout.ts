import { referencesIn, replacedImages, type Kustomization } from '../model/kustomization.ts';
import { baseImageProblems } from './base-image.ts';
import {
  isKustomization,
  isRemote,
  kustomizationOf,
  parseKustomization,
  resolveReference,
} from './kustomization.ts';
import { linkProblems } from './links.ts';
import { overlayPath, releasePath } from './paths.ts';
import type { Config } from './schema.ts';
import { listServices, noServices, type Service } from './services.ts';
import { sourceFileProblems } from './source-files.ts';

/** The platform's repository at some commit, or a folder of it on disk. */
export interface Tree {
  files: readonly string[];
  /** Symbolic links, none of which is followed. */
  links?: readonly string[];
  /** Content of one of the files. */
  read(path: string): Promise<string | undefined>;
}

export interface LayoutProblem {
  /** File or folder in the repository. */
  path: string;
  message: string;
}

/** What of a repository does not fit the configuration: each sentence says what to change. */
export async function layoutProblems(config: Config, tree: Tree): Promise<LayoutProblem[]> {
  const services = [...listServices(config, tree.files).values()];
  const files = new Set(tree.files);
  const problems = noServices(config, tree.files).map(({ folder, reason }) => ({
    path: folder,
    message: reason,
  }));
  if (services.length === 0) {
    const patterns = config.services.discover.join(', ');
    problems.push({
      path: patterns,
      message: 'no folder with a Dockerfile is found here: correct services.discover',
    });
  }
  for (const service of services) {
    const inBase = [...linkProblems(service, tree), ...(await baseProblems(service, tree, files))];
    problems.push(...sourceProblems(service, files), ...inBase);
    // Of a base that is not whole nobody knows which images it has.
    if (inBase.length === 0) problems.push(...(await baseImageProblems(config, service, tree)));
    for (const { name } of config.environments) {
      problems.push(...(await overlayProblems(service, name, tree, files)));
      problems.push(...sourceFileProblems(config, service, name, files));
    }
  }
  return problems;
}

function sourceProblems({ name, path, dockerfile }: Service, files: ReadonlySet<string>): LayoutProblem[] {
  if (!files.values().some((file) => file.startsWith(`${path}/`))) {
    return [{ path, message: `is not there: correct services.explicit.${name}.path` }];
  }
  if (dockerfile === undefined || files.has(dockerfile)) return [];
  return [
    {
      path: dockerfile,
      message: `is not there: write it, or say image: false in services.explicit.${name}`,
    },
  ];
}

/** A release carries the base's tree, as it is: what lies outside would not come with it. */
async function baseProblems(
  { name, manifests }: Service,
  tree: Tree,
  files: ReadonlySet<string>,
): Promise<LayoutProblem[]> {
  const base = `${manifests}/base`;
  if (kustomizationOf(base, files) === undefined) {
    return [{ path: base, message: `has no kustomization.yaml: write the manifests of ${name} there` }];
  }
  const problems: LayoutProblem[] = [];
  for (const file of tree.files.filter((path) => path.startsWith(`${base}/`) && isKustomization(path))) {
    const kustomization = parseKustomization((await tree.read(file)) ?? '');
    if (!kustomization) problems.push({ path: file, message: 'is no YAML with keys and values' });
    else problems.push(...escapes(base, file, kustomization, files));
  }
  return problems;
}

function escapes(
  base: string,
  file: string,
  kustomization: Kustomization,
  files: ReadonlySet<string>,
): LayoutProblem[] {
  const folder = file.slice(0, file.lastIndexOf('/'));
  return referencesIn(kustomization).flatMap((reference) => {
    if (isRemote(reference)) {
      const message = `names ${reference}, which may change without a promotion: copy it into ${base}`;
      return [{ path: file, message }];
    }
    const target = resolveReference(folder, reference);
    if (!target.startsWith(`${base}/`)) {
      const message = `names ${reference}, which is outside of ${base}: a release carries base/ alone, so move it in`;
      return [{ path: file, message }];
    }
    const isThere = files.has(target) || files.values().some((path) => path.startsWith(`${target}/`));
    return isThere ? [] : [{ path: file, message: `names ${reference}, which is not there` }];
  });
}

async function overlayProblems(
  service: Service,
  environment: string,
  tree: Tree,
  files: ReadonlySet<string>,
): Promise<LayoutProblem[]> {
  const overlay = overlayPath(service, environment);
  const release = releasePath(service, environment);
  const file = kustomizationOf(overlay, files);
  if (file === undefined) {
    const message = `has no kustomization.yaml: write one that says resources: [release], or correct manifests or environments`;
    return [{ path: overlay, message }];
  }
  const kustomization = parseKustomization((await tree.read(file)) ?? '');
  if (!kustomization) return [{ path: file, message: 'is no YAML with keys and values' }];

  const problems: LayoutProblem[] = [];
  const targets = new Set(
    referencesIn(kustomization).map((reference) => resolveReference(overlay, reference)),
  );
  if (!targets.has(release)) {
    const message = `does not include the release: without resources: [release] no promotion would reach ${environment}`;
    problems.push({ path: file, message });
  }
  if (targets.has(`${service.manifests}/base`)) {
    const message = `includes base/, so that every commit to it would reach ${environment} without a promotion: include release instead`;
    problems.push({ path: file, message });
  }
  if (service.image !== undefined && replacedImages(kustomization).includes(service.image)) {
    const message = `replaces the image ${service.image}, which is the release's to say: remove it from images`;
    problems.push({ path: file, message });
  }
  return problems;
}
