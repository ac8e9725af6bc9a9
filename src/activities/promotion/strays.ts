import { groupOf, type Manifest } from '../../model/manifests.ts';
import type { ArgoCd, HeldObject } from '../../systems/argocd/index.ts';
import { withCluster } from '../failures.ts';

/**
 * Objects that Argo CD takes for an Application's and that none of some manifests is: what a sync that failed has left, or
 * somebody has added. A sync that prunes deletes them, and so does the end of the Application. Nothing but their names is known.
 */
export async function straysOf(
  argocd: Pick<ArgoCd, 'heldBy'>,
  application: string,
  manifests: readonly Manifest[],
): Promise<Manifest[]> {
  const held = await withCluster(() => argocd.heldBy(application));
  return held.filter((object) => !manifests.some((manifest) => isOf(manifest, object))).map(asManifest);
}

/** A manifest may leave the namespace to the Application, or name one where there is none. */
const isOf = (manifest: Manifest, { group, kind, namespace, name }: HeldObject): boolean =>
  manifest.kind === kind &&
  manifest.name === name &&
  groupOf(manifest.apiVersion) === group &&
  ([manifest.namespace, namespace].includes('') || manifest.namespace === namespace);

/** As Kubernetes finds it. */
export const objectName = ({ group, version, kind, namespace, name }: HeldObject) => ({
  apiVersion: group === '' ? version : `${group}/${version}`,
  ...{ kind, namespace, name },
});

function asManifest(held: HeldObject): Manifest {
  const { apiVersion, kind, namespace, name } = objectName(held);
  const metadata = { name, ...(namespace !== '' && { namespace }) };
  return { apiVersion, kind, namespace, name, object: { apiVersion, kind, metadata } };
}
