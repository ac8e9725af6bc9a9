import { z } from 'zod';
import type { Kubernetes } from './index.ts';

/** What the path of an object consists of, beside the kind's own part. */
export interface ObjectName {
  apiVersion: string;
  kind: string;
  namespace?: string | undefined;
  name: string;
}

export interface Resource {
  /** Of all objects, in all namespaces. */
  path: string;
  plural: string;
  namespaced: boolean;
}

const listSchema = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});

/** Which kinds an API server serves, and where. What it once served is remembered, what it did not is asked for again. */
export class Resources {
  readonly #kubernetes: Kubernetes;
  readonly #versions = new Map<string, Map<string, Resource>>();

  constructor(kubernetes: Kubernetes) {
    this.#kubernetes = kubernetes;
  }

  /** @returns undefined where the API server does not serve it */
  async find({ apiVersion, kind }: Pick<ObjectName, 'apiVersion' | 'kind'>): Promise<Resource | undefined> {
    const known = this.#versions.get(apiVersion)?.get(kind);
    return known ?? (await this.#read(apiVersion)).get(kind);
  }

  async #read(apiVersion: string): Promise<Map<string, Resource>> {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const answer = await this.#kubernetes.get(base);
    const { resources } = answer === undefined ? { resources: [] } : listSchema.parse(answer);
    // Those with a slash are parts of others: deployments/scale.
    const whole = resources.filter(({ name }) => !name.includes('/'));
    const found = new Map(
      whole.map(({ kind, name: plural, namespaced }) => [
        kind,
        { path: `${base}/${plural}`, plural, namespaced },
      ]),
    );
    this.#versions.set(apiVersion, found);
    return found;
  }
}

/** @param namespace where namespaced objects lie that do not say */
export function objectPath(
  { path, plural, namespaced }: Resource,
  object: ObjectName,
  namespace: string,
): string {
  const name = encodeURIComponent(object.name);
  if (!namespaced) return `${path}/${name}`;
  return `${collectionPath({ path, plural }, object.namespace || namespace)}/${name}`;
}

export const collectionPath = (
  { path, plural }: Pick<Resource, 'path' | 'plural'>,
  namespace: string,
): string => `${path.slice(0, -plural.length)}namespaces/${encodeURIComponent(namespace)}/${plural}`;
