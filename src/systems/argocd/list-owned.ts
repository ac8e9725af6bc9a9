import { z } from 'zod';
import { matchesGlob } from '../../model/argocd/glob.ts';
import type { Kubernetes } from '../kubernetes/index.ts';
import { listAll, type ListedObject } from '../kubernetes/list.ts';
import { namespacePath } from '../kubernetes/namespaces.ts';
import { argoProjApi, argoProjPath } from './api-paths.ts';

const owned = {
  Application: ['applications', 'application.namespaces'],
  ApplicationSet: ['applicationsets', 'applicationsetcontroller.namespaces'],
} as const;

/** Those that Argo CD cares for: in its own namespace, and in others that its settings name. */
export async function* listOwned(
  kubernetes: Kubernetes,
  namespace: string,
  kind: keyof typeof owned,
): AsyncGenerator<ListedObject> {
  const [resource] = owned[kind];
  const others = await otherNamespaces(kubernetes, namespace, kind);
  const path = others ? `${argoProjApi}/${resource}` : argoProjPath(namespace, resource);
  for await (const object of listAll(kubernetes, path)) {
    const at = object.metadata.namespace ?? namespace;
    if (at === namespace || others?.(at)) yield object;
  }
}

const parametersSchema = z.object({ data: z.record(z.string(), z.string()).optional() });

/**
 * Which other namespaces Argo CD takes Applications from, by its own setting: names, patterns, and regular expressions
 * between slashes. Undefined when there are none.
 */
export async function otherNamespaces(
  kubernetes: Kubernetes,
  namespace: string,
  kind: keyof typeof owned,
): Promise<((name: string) => boolean) | undefined> {
  const raw = await kubernetes.get(`${namespacePath(namespace)}/configmaps/argocd-cmd-params-cm`);
  const { data = {} } = raw === undefined ? {} : parametersSchema.parse(raw);
  const [, key] = owned[kind];
  const patterns = (data[key] ?? '')
    .split(',')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== '');
  if (patterns.length === 0) return undefined;
  const matches = patterns.map((pattern) =>
    /^\/.+\/$/.test(pattern)
      ? (name: string) => new RegExp(pattern.slice(1, -1)).test(name)
      : (name: string) => matchesGlob(pattern, name),
  );
  return (name) => matches.some((match) => match(name));
}
