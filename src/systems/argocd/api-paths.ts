/** Where the API server has the kinds of Argo CD. */
export const argoProjApi = '/apis/argoproj.io/v1alpha1';

/** The objects of a kind in a namespace, or one of them. */
export function argoProjPath(namespace: string, plural: string, name?: string): string {
  const all = `${argoProjApi}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
  return name === undefined ? all : `${all}/${encodeURIComponent(name)}`;
}
