import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../src/config/schema.ts';
import { applicationName } from '../../src/config/environments.ts';
import { manifestsPath, overlayPath } from '../../src/config/paths.ts';
import { isUnfinished, type Application } from '../../src/model/argocd/application.ts';
import {
  UnseenCluster,
  type ArgoCd,
  type Sighting,
  type SyncRequest,
} from '../../src/systems/argocd/index.ts';
import { answerMs, type Crowd } from './parameters.ts';
import type { SimulatedRepository } from './repository.ts';

/** An Argo CD in memory: what is synced becomes healthy. Waiting for it costs what it costs with the real watch. */
export class SimulatedArgoCd implements ArgoCd {
  readonly #applications = new Map<string, Application>();
  readonly #wakers = new Map<string, Set<() => void>>();
  readonly #repository: SimulatedRepository;
  readonly #syncMs: number | undefined;
  /** So many wait for news. */
  waits = 0;

  constructor(config: Config, { services, syncMs }: Crowd, repository: SimulatedRepository) {
    this.#repository = repository;
    this.#syncMs = syncMs;
    for (const service of services) {
      for (const { name: environment, sync } of config.environments) {
        const path = overlayPath({ manifests: manifestsPath(config, service) }, environment);
        const name = applicationName(config, service, environment);
        this.#applications.set(name, {
          name,
          source: { repoURL: config.repository.url, path, targetRevision: 'main' },
          project: 'default',
          destination: { namespace: environment },
          ...(sync === 'automated' && { automated: { prune: true } }),
          deleting: false,
          sync: { status: 'Synced' },
          health: { status: 'Healthy' },
          reconciledAt: Date.now(),
          conditions: [],
          resources: [],
          deployedRevisions: [],
          images: [],
        });
      }
    }
  }

  #change(name: string, what: Partial<Application>): void {
    const application = this.#applications.get(name);
    if (!application) return;
    this.#applications.set(name, { ...application, ...what });
    for (const wake of this.#wakers.get(name) ?? []) wake();
  }

  async application(name: string) {
    await delay(answerMs);
    return this.#applications.get(name);
  }

  async namesakes() {
    return [];
  }

  async troubledResources() {
    return [];
  }

  /** Nothing that is synced here makes pods: so what Argo CD says of it counts. */
  async liveWorkloads(): Promise<never> {
    await delay(answerMs);
    throw new UnseenCluster('There are no pods.');
  }

  async heldBy() {
    return [];
  }

  async bringerOf(): Promise<undefined> {}

  async remove() {
    return 'absent' as const;
  }

  async leftOf() {
    return [];
  }

  async *changes(name: string, everyMs: number, signal: AbortSignal): AsyncGenerator<Sighting, never> {
    for (;;) {
      signal.throwIfAborted();
      const application = this.#applications.get(name);
      yield { application };
      if (application === this.#applications.get(name)) await this.#news(name, everyMs, signal);
    }
  }

  async #news(name: string, withinMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve: wake } = Promise.withResolvers<void>();
    const wakers = this.#wakers.get(name) ?? new Set();
    this.#wakers.set(name, wakers.add(wake));
    this.waits += 1;
    const timer = setTimeout(wake, withinMs);
    signal.addEventListener('abort', () => wake(), { once: true });
    await promise;
    clearTimeout(timer);
    this.waits -= 1;
    wakers.delete(wake);
  }

  async refresh(name: string) {
    const { path } = this.#applications.get(name)?.source ?? {};
    const revision = await this.#repository.writerOf(`${path}/release`);
    await this.#start(name, { id: `refresh to ${revision}`, revisions: [revision] });
  }

  async startOperation(name: string, request: SyncRequest) {
    await delay(answerMs);
    return this.#start(name, request);
  }

  async #start(name: string, { id, revisions }: Pick<SyncRequest, 'id' | 'revisions'>) {
    const application = this.#applications.get(name);
    const [revision = ''] = revisions;
    if (!application) return { state: 'absent' } as const;
    const { operation } = application;
    if (operation?.id === id) return { state: 'ours' } as const;
    if (operation && isUnfinished(operation))
      return { state: 'busy', by: 'gitops', id: operation.id } as const;
    const running = { id, by: 'gitops', phase: 'Running', revision, startedAt: Date.now() };
    this.#change(name, { operation: running });
    if (this.#syncMs !== undefined) setTimeout(() => this.#end(name, revision), this.#syncMs);
    return { state: 'ours' } as const;
  }

  #end(name: string, revision: string): void {
    const { operation, deployedRevisions = [] } = this.#applications.get(name) ?? {};
    if (!operation) return;
    this.#change(name, {
      operation: { ...operation, phase: 'Succeeded', finishedAt: Date.now() },
      sync: { status: 'Synced', revision },
      reconciledAt: Date.now(),
      deployedRevision: revision,
      deployedRevisions: [...deployedRevisions, revision].slice(-10),
    });
  }

  terminate = (): Promise<void> => delay(answerMs);
  explain = async (): Promise<string> => '';
  syncWindows = (): Promise<[]> => delay(answerMs, []);
  kustomizeBuildOptions = (): Promise<string[]> => delay(answerMs, []);
  close(): void {}
}
