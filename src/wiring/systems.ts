import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { refused } from '../activities/failures.ts';
import type { RecreationSystems } from '../activities/recreation/systems.ts';
import type { Systems } from '../activities/systems.ts';
import { notWhileRecreated } from '../activities/sync/while-recreated.ts';
import { backupOf } from '../config/backup-settings.ts';
import type { Config } from '../config/schema.ts';
import { readSecret } from '../config/secrets.ts';
import { sourceConfigOf, sourceKey, sourceRepositories, type SourceConfig } from '../config/sources.ts';
import { imagePlace } from '../model/image-name.ts';
import { trustCertificates } from '../systems/network/certificates.ts';
import { createArgoCd } from '../systems/argocd/api-client.ts';
import type { ArgoCd } from '../systems/argocd/index.ts';
import { createKubernetes } from '../systems/kubernetes/api-client.ts';
import { createCommandRunner } from '../systems/commands/runner.ts';
import { createForge } from './forge.ts';
import type { Repository } from '../systems/git/index.ts';
import { createRepository } from '../systems/git/repository.ts';
import { createBuildah } from '../systems/images/buildah.ts';
import type { RegistryAccess } from '../systems/images/registry.ts';
import { lazily } from '../systems/lazily.ts';
import { createRecreations } from '../systems/temporal/recreations.ts';
import { objectStoreOf } from './object-store.ts';
import { recipientsOf, recoveryOf, writersStore } from './backup-stores.ts';

/** Who writes `release/`, in the eyes of Git. */
const committer = { name: 'gitops', email: 'gitops@noreply.invalid' };

/** The names of their entries begin with a process ID, so that a worker that starts can remove those of dead ones. */
export const ownFolders = (workDirectory: string): string[] =>
  ['clones', 'checkouts', 'renders', 'backups'].map((name) => join(workDirectory, name));

/** Where builds keep layers. */
export const imagesIn = (workDirectory: string): string => join(workDirectory, 'images');

/**
 * The outside world as the configuration says. Each system is made when it is first asked for, so that a worker of one
 * queue needs no credentials of another's.
 */
export function createSystems(
  config: Config,
  temporal: Client,
  workDirectory: string,
): Systems & RecreationSystems & { close: () => void } {
  const objects = lazily(() => objectStoreOf(config));
  const clones = join(workDirectory, 'clones');
  const repository = lazily(() => repositoryOf(config, clones));
  const sources = new Map(
    sourceRepositories(config).map(({ key, source }) => [
      key,
      lazily(() => sourceRepositoryOf(source, clones)),
    ]),
  );
  const forge = lazily(() => createForge(config));
  let watching: ArgoCd | undefined;
  const recreations = createRecreations(temporal, {
    platform: config.platform,
    cluster: config.backup?.cluster,
  });
  const argocd = lazily(() => notWhileRecreated((watching = createArgoCd(config.argocd)), recreations));
  const kubernetes = lazily(() => createKubernetes());
  const scratchCluster = lazily(() => {
    const { drill } = config.recreation;
    if (drill) return createKubernetes(drill.kubeconfig, drill.context);
    throw refused(
      'gitops.yaml names no control plane for drills. Write recreation.drill with the kubeconfig of an empty one.',
    );
  });
  const backups = lazily(() => {
    const backup = backupOf(config);
    return { store: writersStore(backup), recipients: () => recipientsOf(backup) };
  });
  const recovery = lazily(() => recoveryOf(backupOf(config)));
  const commands = lazily(() => createCommandRunner());
  const images = lazily(() =>
    createBuildah({ directory: imagesIn(workDirectory), registry: registryAccessOf(config) }),
  );
  return {
    config,
    temporal,
    recreations,
    get objects() {
      return objects();
    },
    get repository() {
      return repository();
    },
    sourceOf(service) {
      const source = sourceConfigOf(config, service);
      return ((source && sources.get(sourceKey(source))) ?? repository)();
    },
    get forge() {
      return forge();
    },
    get argocd() {
      return argocd();
    },
    get kubernetes() {
      return kubernetes();
    },
    clusterOf: ({ drill }) => (drill ? scratchCluster() : kubernetes()),
    scratch: join(workDirectory, 'backups'),
    get backups() {
      return backups();
    },
    get recovery() {
      return recovery();
    },
    get commands() {
      return commands();
    },
    get images() {
      return images();
    },
    /** Ends the watch of Argo CD: a process does not end while it listens. */
    close: () => watching?.close(),
  };
}

export const sourceRepositoryOf = ({ repository: url, ...rest }: SourceConfig, clones: string): Repository =>
  repositoryOf({ repository: { url, ...rest } }, clones);

export function repositoryOf({ repository }: Pick<Config, 'repository'>, clones: string): Repository {
  const { url, branch, token, caFile } = repository;
  return createRepository({
    url,
    branch,
    committer,
    directory: join(clones, `${process.pid}-${randomUUID().slice(0, 8)}`),
    ...(token !== undefined && { token: () => readSecret(token) }),
    ...(caFile !== undefined && { caFile }),
  });
}

export function registryAccessOf({ registry }: Pick<Config, 'registry'>): RegistryAccess {
  const { image, insecure, login, caFile } = registry;
  const { host } = imagePlace(image);
  if (caFile !== undefined) trustCertificates(caFile);
  return {
    host,
    insecure,
    ...(login && { login: { username: login.username, password: () => readSecret(login.password) } }),
    ...(caFile !== undefined && { caFile }),
  };
}
