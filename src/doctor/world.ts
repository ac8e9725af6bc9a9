import type { Config } from '../config/schema.ts';
import type { SourceConfig } from '../config/sources.ts';
import type { Tree } from '../config/tree.ts';
import { createArgoCd } from '../systems/argocd/api-client.ts';
import type { ArgoCd } from '../systems/argocd/index.ts';
import { createKubernetes } from '../systems/kubernetes/api-client.ts';
import type { Kubernetes } from '../systems/kubernetes/index.ts';
import type { Repository } from '../systems/git/index.ts';
import { lazily } from '../systems/lazily.ts';
import { repositoryOf, sourceRepositoryOf } from '../wiring/systems.ts';

/** What several checks look at; each thing is opened or read when it is first asked for, and once. */
export interface World {
  config: Config;
  repository: () => Promise<Repository>;
  /** The protected branch's tip. */
  tip: () => Promise<string>;
  /** The repository at that tip. */
  tree: () => Promise<Tree>;
  /** The repository of a source, opened here, at its branch's tip. */
  sourceTree: (source: SourceConfig) => Promise<Tree & { tip: string }>;
  kubernetes: () => Promise<Kubernetes>;
  argocd: () => Promise<ArgoCd>;
}

/** @param clones folder for a clone of the repository */
export function createWorld(config: Config, clones: string): World {
  const repository = lazily(async () => repositoryOf(config, clones));
  const tip = lazily(async () => (await repository()).tip());
  return {
    config,
    repository,
    tip,
    tree: lazily(async () => treeOf(await repository(), await tip())),
    async sourceTree(source) {
      const opened = sourceRepositoryOf(source, clones);
      const revision = await opened.tip();
      return { tip: revision, ...(await treeOf(opened, revision)) };
    },
    kubernetes: lazily(async () => createKubernetes()),
    argocd: lazily(async () => createArgoCd(config.argocd)),
  };
}

async function treeOf(repository: Repository, revision: string): Promise<Tree> {
  const { links } = await repository.linksAndModules(revision);
  return {
    files: await repository.files(revision),
    links,
    read: (path) => repository.read(revision, path),
  };
}
