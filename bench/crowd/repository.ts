import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Change } from '../../src/model/delivery/change.ts';
import {
  GitError,
  type Commit,
  type ReleaseWrite,
  type ReleaseWritten,
  type Repository,
} from '../../src/systems/git/index.ts';
import { releaseTree } from '../../src/systems/git/release-tree.ts';
import { answerMs, commitOf, hash, type Crowd } from './parameters.ts';

/** A `release/` as it stands since some commit of the protected branch. */
interface Release {
  position: number;
  kustomization: string;
  tree: string;
}

const deploymentOf = (image: string): string =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'service' },
    spec: { template: { spec: { containers: [{ name: 'app', image }] } } },
  });

type Write = Pick<ReleaseWrite, 'path' | 'base' | 'kustomization'>;

/** The platform's repository in memory: one line of commits, and promotions' branches that leave it. */
export class SimulatedRepository implements Repository {
  /** From the root, which is position 1. */
  readonly #line: string[] = [];
  readonly #positions = new Map<string, number>();
  readonly #changes = new Map<string, Change>();
  readonly #releases = new Map<string, Release[]>();
  /** What was written to the protected branch, by its commit. */
  readonly #landed = new Map<string, Write>();
  readonly #files: string[];
  /** Heads of promotions' branches, by their names and by their hashes. */
  readonly #branches = new Map<string, string>();
  readonly #heads = new Map<string, { position: number; write: Write; tree: string }>();

  constructor({ services, each, environments }: Crowd) {
    this.#push(hash('root'));
    for (let number = 1; number <= each; number += 1) {
      for (const service of services) {
        const change = { service, commit: commitOf(service, number) };
        this.#changes.set(change.commit, change);
        this.#push(change.commit);
      }
    }
    this.#files = services.flatMap((service) => [
      `services/${service}/Dockerfile`,
      `services/${service}/main.go`,
      `deploy/${service}/base/kustomization.yaml`,
      `deploy/${service}/base/deployment.yaml`,
      ...environments.map((name) => `deploy/${service}/overlays/${name}/kustomization.yaml`),
    ]);
  }

  #push(commit: string): number {
    const position = this.#line.push(commit);
    this.#positions.set(commit, position);
    return position;
  }

  #land(write: Write, commit: string): void {
    const { path, base, kustomization } = write;
    this.#landed.set(commit, write);
    const release = { position: this.#push(commit), kustomization, tree: releaseTree(base, kustomization) };
    this.#releases.set(path, [...(this.#releases.get(path) ?? []), release]);
  }

  /** Of the protected branch, from which a promotion's branch has left. */
  #positionOf(revision: string): number {
    const position = this.#positions.get(revision) ?? this.#heads.get(revision)?.position;
    if (position === undefined) throw new GitError('missing', `${revision} is not there.`);
    return position;
  }

  #release(revision: string, path: string): Omit<Release, 'position'> | undefined {
    const position = this.#positionOf(revision);
    const head = this.#heads.get(revision);
    if (head?.write.path === path) return { kustomization: head.write.kustomization, tree: head.tree };
    return this.#releases.get(path)?.findLast((release) => release.position <= position);
  }

  /** The last commit that wrote a folder. */
  async writerOf(path: string): Promise<string> {
    const { position } = this.#releases.get(path)?.at(-1) ?? {};
    return position === undefined ? this.tip() : (this.#line[position - 1] ?? '');
  }

  /** Nobody's source is elsewhere. */
  async lastChange(): Promise<undefined> {
    return undefined;
  }

  headOf(branch: string): string | undefined {
    return this.#branches.get(branch);
  }

  /** @returns the commit that a promotion's branch became */
  merge(branch: string): string {
    const head = this.#heads.get(this.#branches.get(branch) ?? '');
    if (!head) throw new GitError('missing', `There is no branch ${branch}.`);
    const revision = hash(`merge of ${branch} after ${this.#line.length}`);
    this.#land(head.write, revision);
    return revision;
  }

  deleteBranch(branch: string): void {
    this.#branches.delete(branch);
  }

  async tip(): Promise<string> {
    await delay(answerMs);
    return this.#line.at(-1) ?? '';
  }

  position = async (commit: string): Promise<number | undefined> => this.#positions.get(commit);

  mergeOf = async (commit: string): Promise<string | undefined> =>
    this.#positions.has(commit) ? commit : undefined;

  async commit(sha: string): Promise<Commit> {
    return described(this.#changes.get(sha) ?? { service: 'nothing', commit: sha });
  }

  async log(from: string | undefined, to: string, paths: string[]): Promise<Commit[]> {
    const begin = from === undefined ? 0 : this.#positionOf(from);
    return this.#line
      .slice(begin, this.#positionOf(to))
      .flatMap((sha) => this.#changes.get(sha) ?? [])
      .filter(({ service }) => paths.includes(`services/${service}/**`))
      .map(described)
      .toReversed();
  }

  async changedPaths(commit: string): Promise<string[]> {
    const change = this.#changes.get(commit);
    return change ? [`services/${change.service}/main.go`] : [];
  }

  differingPaths = async (from: string, to: string): Promise<string[]> =>
    (await Array.fromAsync(this.commitsAfter(from, to))).flatMap(({ paths }) => paths);

  async *commitsAfter(from: string | undefined, to: string) {
    const begin = from === undefined ? 0 : this.#positionOf(from);
    for (const commit of this.#line.slice(begin, this.#positionOf(to)).toReversed()) {
      yield { commit, paths: await this.changedPaths(commit) };
    }
  }

  async object(revision: string, path: string): Promise<string | undefined> {
    if (path.endsWith('/release')) return this.#release(revision, path)?.tree;
    if (path.endsWith('.yaml') && !this.#files.includes(path)) return undefined;
    // People change nothing but services' sources, so that all other trees are what they were.
    return hash(`${path} ${this.#release(revision, `${path}/release`)?.tree ?? ''}`);
  }

  async read(revision: string, path: string): Promise<string | undefined> {
    const folder = path.replace(/\/kustomization\.yaml$/, '');
    return this.#release(revision, folder)?.kustomization;
  }

  files = async (): Promise<string[]> => this.#files;

  isAncestor = async (ancestor: string, descendant: string): Promise<boolean> =>
    ancestor === descendant ||
    (this.#positions.has(ancestor) && this.#positionOf(ancestor) <= this.#positionOf(descendant));

  linksAndModules = (): Promise<{ links: string[]; modules: string[] }> =>
    delay(answerMs, { links: [], modules: [] });

  lfsPointers = (): Promise<string[]> => delay(answerMs, []);

  /** Of a draft or a release what is rendered of it, of a change the folder that it is built from. */
  async checkout(revision: string, directory: string): Promise<void> {
    const write = this.#heads.get(revision)?.write ?? this.#landed.get(revision);
    if (!write) {
      const { service } = this.#changes.get(revision) ?? {};
      if (service !== undefined) await this.#writeSource(service, directory);
      return delay(answerMs);
    }
    const base = join(directory, write.path, 'base');
    await mkdir(base, { recursive: true });
    const image = /name: (.*)/.exec(write.kustomization)?.[1] ?? '';
    await Promise.all([
      writeFile(join(directory, write.path, '../kustomization.yaml'), 'resources: [release]\n'),
      writeFile(join(directory, write.path, 'kustomization.yaml'), write.kustomization),
      writeFile(join(base, 'kustomization.yaml'), 'resources: [deployment.yaml]\n'),
      writeFile(join(base, 'deployment.yaml'), deploymentOf(image)),
    ]);
  }

  async #writeSource(service: string, directory: string): Promise<void> {
    const folder = join(directory, 'services', service);
    await mkdir(folder, { recursive: true });
    await Promise.all(['Dockerfile', 'main.go'].map((name) => writeFile(join(folder, name), '')));
  }

  borrow = (): Promise<void> => delay(answerMs);
  packTree = (): Promise<void> => delay(answerMs);
  tryPush = (): Promise<void> => delay(answerMs);

  async draftRelease(tip: string, write: Write): Promise<string> {
    await delay(answerMs);
    const tree = releaseTree(write.base, write.kustomization);
    const revision = hash(`draft of ${write.path} ${tree} on ${tip}`);
    this.#heads.set(revision, { position: this.#positionOf(tip), write, tree });
    return revision;
  }

  async writeRelease({ branch, expectedTree, stillWanted, ...write }: ReleaseWrite): Promise<ReleaseWritten> {
    await delay(answerMs);
    const tip = this.#line.at(-1) ?? '';
    if (!(await stillWanted(tip))) return { state: 'unwanted' };
    const tree = releaseTree(write.base, write.kustomization);
    const pushed = this.#branches.get(branch);
    if (pushed !== undefined && this.#heads.get(pushed)?.tree === tree) {
      return { state: 'written', revision: pushed, tree };
    }
    const found = this.#releases.get(write.path)?.at(-1);
    if (found?.tree === tree)
      return { state: 'written', revision: this.#line[found.position - 1] ?? tip, tree };
    if (found?.tree !== expectedTree) return { state: 'changed', tree: found?.tree };
    const revision = hash(`${branch} ${write.path} ${tree} after ${this.#line.length}`);
    if (branch === 'main') this.#land(write, revision);
    else {
      this.#heads.set(revision, { position: this.#line.length, write, tree });
      this.#branches.set(branch, revision);
    }
    return { state: 'written', revision, tree };
  }
}

const described = ({ service, commit }: Change): Commit => ({
  sha: commit,
  subject: `Change ${service}`,
  authors: ['Developer <developer@example.com>'],
  committedAt: '2026-01-01T00:00:00Z',
});
