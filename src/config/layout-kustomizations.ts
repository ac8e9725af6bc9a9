import { posix } from 'node:path';
import { canonicalName } from '../model/image-name.ts';
import {
  chartsIn,
  readKustomization,
  referencesIn,
  replacedImages,
  type Kustomization,
} from '../model/kustomization.ts';
import { isKustomization, isRemote, kustomizationOf, resolveReference } from './kustomization.ts';
import { overlayPath, releasePath } from './paths.ts';
import { bringsBase, isIn, type Service } from './services.ts';
import type { LayoutProblem, Tree } from './tree.ts';

/** A repository whose kustomizations are looked at. */
export interface Repository {
  services: readonly Service[];
  environments: readonly string[];
  tree: Tree;
  files: ReadonlySet<string>;
}

/** A release carries the base's tree, as it is: what lies outside would not come with it. */
export async function baseProblems(
  { name, base }: Service,
  { tree, files }: Omit<Repository, 'services' | 'environments'>,
): Promise<LayoutProblem[]> {
  if (kustomizationOf(base, files) === undefined) {
    return [{ path: base, message: `has no kustomization.yaml: write the manifests of ${name} there` }];
  }
  const problems: LayoutProblem[] = [];
  for (const file of tree.files.filter((path) => isIn(path, base) && isKustomization(path))) {
    const part = await readPart(file, base, tree);
    problems.push(...part.problems);
    for (const { reference, target } of part.references) {
      const wrong = isIn(target, base)
        ? missing(target, files)
        : `is outside of ${base}: a release carries base/ alone, so move it in`;
      if (wrong !== undefined) problems.push({ path: file, message: `names ${reference}, which ${wrong}` });
    }
  }
  return problems;
}

/** What people write beside `release/`, and all that it includes. */
export async function overlayProblems(
  service: Service,
  environment: string,
  repository: Repository,
): Promise<LayoutProblem[]> {
  const { tree, files } = repository;
  const overlay = overlayPath(service, environment);
  const release = releasePath(service, environment);
  const first = kustomizationOf(overlay, files);
  if (first === undefined) {
    const message = `has no kustomization.yaml: write one that says resources: [release], or correct manifests or environments`;
    return [{ path: overlay, message }];
  }

  const problems: LayoutProblem[] = [];
  let isReleased = false;
  // It grows while it is walked: a part may include others.
  const parts = new Set([first]);
  for (const file of parts) {
    const { kustomization, references, problems: own } = await readPart(file, overlay, tree);
    problems.push(...own);
    // What cannot be read may name it.
    isReleased ||= kustomization === undefined || references.some(({ target }) => target === release);
    for (const { reference, target } of references) {
      if (target === release) continue;
      const wrong = isIn(target, release)
        ? missingInRelease(target, service, release, files)
        : (notReleased(target, { service, environment, file }, repository) ?? missing(target, files));
      if (wrong !== undefined) problems.push({ path: file, message: `names ${reference}, which ${wrong}` });
      const part = kustomizationOf(target, files);
      if (wrong === undefined && part !== undefined && !isIn(target, release)) parts.add(part);
    }
    const replaced = replacedImages(kustomization ?? {}).map(canonicalName);
    if (service.image !== undefined && replaced.includes(canonicalName(service.image))) {
      const message = `replaces the image ${service.image}, which is the release's to say: remove it from images`;
      problems.push({ path: file, message });
    }
  }
  if (isReleased) return problems;
  const message = `does not include the release: without resources: [release] no promotion would reach ${environment}`;
  return [{ path: first, message }, ...problems];
}

/** One kustomization. */
interface Part {
  /** Undefined when it cannot be read. */
  kustomization?: Kustomization;
  /** What it names in the repository. */
  references: { reference: string; target: string }[];
  /** Of what it says, whatever else there is. */
  problems: LayoutProblem[];
}

/** @param home where what it brings from elsewhere belongs */
async function readPart(file: string, home: string, tree: Tree): Promise<Part> {
  const { kustomization = {}, problem } = readKustomization((await tree.read(file)) ?? '');
  if (problem !== undefined) return { references: [], problems: [{ path: file, message: problem }] };
  const references = referencesIn(kustomization);
  const messages = [
    ...chartsIn(kustomization).map(
      (key) =>
        `has ${key}, and charts are not rendered here: commit what helm template writes to ${home}, and name that`,
    ),
    ...references
      .filter(isRemote)
      .map((remote) => `names ${remote}, which may change without a promotion: copy it into ${home}`),
  ];
  return {
    kustomization,
    references: references
      .filter((reference) => !isRemote(reference))
      .map((reference) => ({ reference, target: resolveReference(posix.dirname(file), reference) })),
    problems: messages.map((message) => ({ path: file, message })),
  };
}

function missing(target: string, files: ReadonlySet<string>): string | undefined {
  if (files.has(target) || kustomizationOf(target, files) !== undefined) return undefined;
  return files.values().some((path) => isIn(path, target))
    ? 'has no kustomization.yaml: write one there, or name its files'
    : 'is not there: write it, or take its name out';
}

/** The first promotion has not been, or an older one was, so it may be in base/ alone. */
function missingInRelease(
  target: string,
  { manifests }: Service,
  release: string,
  files: ReadonlySet<string>,
): string | undefined {
  return missing(target, files) && missing(`${manifests}${target.slice(release.length)}`, files);
}

/** What would reach an environment in another way than by promotions of the service into it. */
function notReleased(
  target: string,
  by: { service: Service; environment: string; file: string },
  { services, environments }: Repository,
): string | undefined {
  for (const other of services) {
    const { base } = other;
    if (!bringsBase(other) && (target === base || isIn(target, base))) {
      const instead = insteadOf(other, `/base${target.slice(base.length)}`, by);
      return `changes with every commit, without a promotion into ${by.environment}: ${instead}`;
    }
    for (const environment of environments) {
      const release = releasePath(other, environment);
      const overlay = overlayPath(other, environment);
      if ([overlay, release].includes(target) || isIn(target, release)) {
        const instead = insteadOf(other, target.slice(release.length), by);
        return `changes with promotions of ${other.name} into ${environment}: ${instead}`;
      }
      const isOwn = other === by.service && environment === by.environment;
      if (!isOwn && isIn(target, overlay)) {
        return `is delivered to ${environment} alone when it changes: move it to a folder beside ${by.service.manifests}/overlays`;
      }
    }
  }
  return undefined;
}

/** @param part `/base/…`, as the release of the service has it */
function insteadOf(
  other: Service,
  part: string,
  { service, environment, file }: { service: Service; environment: string; file: string },
): string {
  if (other !== service) return `leave it to the overlays of ${other.name}`;
  const release = `${releasePath(service, environment)}${part.startsWith('/base/') ? part : ''}`;
  return `include ${posix.relative(posix.dirname(file), release)} instead`;
}
