import picomatch from 'picomatch';
import { z } from 'zod';
import { parseExactly } from './exact-json.ts';
import { isMissing, type Kubernetes } from './index.ts';

/**
 * A page lies in memory as text and as objects. Of 3,000 Applications, pages of 50 took no longer than pages of 250, and
 * a hundred megabytes less.
 */
const pageSize = 50;

const labels = z.record(z.string(), z.string()).optional();
const objectSchema = z.looseObject({
  metadata: z.object({
    name: z.string(),
    namespace: z.string().optional(),
    labels,
    annotations: labels,
    finalizers: z.array(z.string()).optional(),
    deletionTimestamp: z.string().optional(),
  }),
});
const pageSchema = z.object({
  metadata: z.object({ continue: z.string().optional() }),
  items: z.array(objectSchema),
});

/** What the path lists, in its order; nothing where this cluster has no such kind. */
export async function* listAll(
  kubernetes: Kubernetes,
  path: string,
  labelSelector?: string,
): AsyncGenerator<z.infer<typeof objectSchema>> {
  async function read(more?: string): Promise<z.infer<typeof pageSchema>> {
    const query = {
      limit: pageSize,
      ...(labelSelector !== undefined && { labelSelector }),
      ...(more !== undefined && { continue: more }),
    };
    return pageSchema.parse(parseExactly(await kubernetes.text(path, query)));
  }

  let page = await read().catch((error: unknown) => {
    // In the middle of a list it is a fault: what was read so far is not all.
    if (isMissing(error)) return undefined;
    throw error;
  });
  while (page) {
    const more = page.metadata.continue;
    // The API server makes it while the one before is worked on.
    const next = more ? read(more) : undefined;
    next?.catch(() => undefined);
    yield* page.items;
    page = await next;
  }
}

const api = '/apis/argoproj.io/v1alpha1';
const owned = {
  Application: ['applications', 'application.namespaces'],
  ApplicationSet: ['applicationsets', 'applicationsetcontroller.namespaces'],
} as const;

/** Those that Argo CD cares for: in its own namespace, and in others that its settings name. */
export async function* listOwned(
  kubernetes: Kubernetes,
  namespace: string,
  kind: keyof typeof owned,
): AsyncGenerator<z.infer<typeof objectSchema>> {
  const [resource, key] = owned[kind];
  const others = (await otherNamespaces(kubernetes, namespace))(key);
  const path = others ? `${api}/${resource}` : `${api}/namespaces/${namespace}/${resource}`;
  for await (const object of listAll(kubernetes, path)) {
    const at = object.metadata.namespace ?? namespace;
    if (at === namespace || others?.(at)) yield object;
  }
}

const parametersSchema = z.object({ data: z.record(z.string(), z.string()).optional() });

/**
 * Which other namespaces Argo CD takes Applications from, by its own setting: names, patterns, and regular expressions
 * between slashes.
 */
async function otherNamespaces(kubernetes: Kubernetes, namespace: string) {
  const raw = await kubernetes.get(`/api/v1/namespaces/${namespace}/configmaps/argocd-cmd-params-cm`);
  const { data = {} } = raw === undefined ? {} : parametersSchema.parse(raw);
  return (key: string): ((name: string) => boolean) | undefined => {
    const patterns = (data[key] ?? '')
      .split(',')
      .map((pattern) => pattern.trim())
      .filter((pattern) => pattern !== '');
    if (patterns.length === 0) return undefined;
    const matches = patterns.map((pattern) =>
      /^\/.+\/$/.test(pattern)
        ? (name: string) => new RegExp(pattern.slice(1, -1)).test(name)
        : picomatch(pattern),
    );
    return (name) => matches.some((match) => match(name));
  };
}
