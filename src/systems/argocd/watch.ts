import type { Sighting } from './index.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { Watch } from '@kubernetes/client-node';
import { z } from 'zod';
import type { Application } from '../../model/argocd/application.ts';
import { parseApplication } from './application.ts';
import { KubernetesError, type Kubernetes } from '../kubernetes/index.ts';
import { errorText } from '../system-error.ts';

/** A list of 10,000 Applications is 70 MB, so it is read in pages. */
const pageSize = 500;
/** After an outage, work goes on within seconds; thousands of workers do not come back in the same instant. */
const backoffMs = (failures: number): number =>
  Math.min(10_000, 250 * 2 ** failures) * (0.5 + Math.random() / 2);

/** Keeps a server that ends every watch at once from being asked without pause. */
const restMs = 100;

const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(z.unknown()),
});
const metadataSchema = z.object({ metadata: z.object({ name: z.string(), resourceVersion: z.string() }) });

/**
 * One list and one watch of all Applications of a namespace, however many wait for them. It begins when somebody first
 * asks, and begins again by itself after any loss, at the last version it saw or by a new list. Who waits reads the
 * newest state when they get to it: nothing is queued for them, so a slow one holds up nobody.
 */
export class ApplicationWatch {
  readonly #kubernetes: Kubernetes;
  readonly #path: string;
  readonly #closed = new AbortController();
  readonly #waiting = new Map<string, Set<() => void>>();
  #applications = new Map<string, Application>();
  #listed = false;
  #trouble: unknown;
  #following = false;

  constructor(kubernetes: Kubernetes, path: string) {
    this.#kubernetes = kubernetes;
    this.#path = path;
  }

  /**
   * What is known of an Application: now, whenever it changes, and at the latest every `everyMs`. Ends by throwing the
   * signal's reason. Before the first list it yields nothing, unless the cluster cannot be reached.
   */
  async *changes(name: string, everyMs: number, signal: AbortSignal): AsyncGenerator<Sighting, never> {
    if (!this.#following) void this.#follow();
    this.#following = true;
    for (;;) {
      signal.throwIfAborted();
      const application = this.#applications.get(name);
      const trouble = this.#trouble;
      if (this.#listed || trouble !== undefined) {
        yield {
          application,
          ...(trouble !== undefined && { unreachable: errorText(trouble), cause: trouble }),
        };
      }
      const nothingNew = application === this.#applications.get(name) && trouble === this.#trouble;
      if (nothingNew && !signal.aborted) await this.#news(name, everyMs, signal);
    }
  }

  close(): void {
    this.#closed.abort();
  }

  async #news(name: string, withinMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve: wake } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting.add(wake));
    const timer = setTimeout(wake, withinMs);
    const stop = (): void => wake();
    signal.addEventListener('abort', stop, { once: true });
    await promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    waiting.delete(wake);
    if (waiting.size === 0) this.#waiting.delete(name);
  }

  #tell(name: string): void {
    for (const wake of this.#waiting.get(name) ?? []) wake();
  }

  async #follow(): Promise<void> {
    for (let failures = 0; !this.#closed.signal.aborted;) {
      try {
        let version = await this.#list();
        failures = 0;
        while (!this.#closed.signal.aborted) version = await this.#watch(version);
      } catch (error) {
        failures += 1;
        if (!(error instanceof Expired)) {
          this.#trouble = error;
          for (const name of this.#waiting.keys()) this.#tell(name);
        }
        await this.#pause(backoffMs(failures));
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closed.signal }).catch(() => undefined);
  }

  async #list(): Promise<string> {
    const applications = new Map<string, Application>();
    let page: z.infer<typeof listSchema> | undefined;
    do {
      const more = page?.metadata.continue;
      const answer = await this.#kubernetes.get(this.#path, {
        limit: pageSize,
        ...(more !== undefined && { continue: more }),
      });
      if (answer === undefined) throw new KubernetesError(404, 'There is no Argo CD in this cluster.');
      page = listSchema.parse(answer);
      for (const item of page.items) this.#read(item, applications);
    } while (page.metadata.continue);

    this.#applications = applications;
    this.#listed = true;
    this.#trouble = undefined;
    for (const name of this.#waiting.keys()) this.#tell(name);
    return page.metadata.resourceVersion;
  }

  /** @returns the last version seen when the server or a silence ended it. @throws Expired, or what went wrong */
  async #watch(since: string): Promise<string> {
    let version = since;
    const ended = Promise.withResolvers<string>();
    ended.promise.catch(() => undefined); // It may end before anybody waits for that.
    const onEvent = (type: string, object: unknown): void => {
      if (type === 'ERROR') return ended.reject(new Expired());
      const metadata = metadataSchema.safeParse(object).data?.metadata;
      if (!metadata) return;
      version = metadata.resourceVersion;
      if (type === 'BOOKMARK') return;
      if (type === 'DELETED') this.#applications.delete(metadata.name);
      else this.#read(object, this.#applications);
      this.#tell(metadata.name);
    };
    const request = await new Watch(this.#kubernetes.config).watch(
      this.#path,
      { resourceVersion: since, allowWatchBookmarks: true },
      onEvent,
      (error: unknown) => {
        if (isGone(error)) ended.reject(new Expired());
        else if (error && !isSilence(error)) ended.reject(error);
        else ended.resolve(version);
      },
    );
    const stop = (): void => request.abort();
    this.#closed.signal.addEventListener('abort', stop, { once: true });
    try {
      return await ended.promise;
    } finally {
      this.#closed.signal.removeEventListener('abort', stop);
      request.abort();
      await this.#pause(restMs);
    }
  }

  /** One that cannot be read is as good as absent: the others must not suffer from it. */
  #read(object: unknown, into: Map<string, Application>): void {
    const { data } = metadataSchema.safeParse(object);
    if (!data) return;
    const { name } = data.metadata;
    try {
      into.set(name, parseApplication(object));
    } catch {
      into.delete(name);
    }
  }
}

/** The server no longer knows the version that the watch wants to go on from: list again. */
class Expired extends Error {}

const isGone = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 410;

/** The client ends a watch in which nothing came for half a minute: so a dead connection is noticed. */
const isSilence = (error: unknown): boolean =>
  error instanceof Error && ['TimeoutError', 'AbortError'].includes(error.name);
