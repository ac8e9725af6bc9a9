import { z } from 'zod';
import { nameOf, type Manifest } from '../../model/manifests.ts';
import type { Kubernetes } from '../kubernetes/index.ts';
import type { KeepLog } from '../kubernetes/pods.ts';
import { objectPath, Resources } from '../kubernetes/resources.ts';
import { awaitDefinitions } from './await-definitions.ts';
import { awaitReady, awaitStopped } from './await-workloads.ts';
import { WrongManifest } from './index.ts';
import type { Installation } from './manifest.ts';

export interface Place {
  kubernetes: Kubernetes;
  /** Of Argo CD. */
  namespace: string;
  signal: AbortSignal;
  /** Asked before each change. @throws when this must not go on */
  guard: () => Promise<void>;
}

/**
 * Brings Argo CD into a cluster, or back to its manifest, and lets nothing of it run. Safe to repeat.
 *
 * @param progress is told how many objects are there
 * @throws WrongManifest: the cluster does not know a kind that is in it; SystemError: something takes too long
 */
export async function installStopped(
  place: Place,
  { definitions, workloads, others }: Installation,
  progress: (done: number) => void,
): Promise<void> {
  const resources = new Resources(place.kubernetes);
  let done = 0;
  const applyAll = async (objects: Manifest[]) => {
    for (const object of objects) {
      await apply(place, resources, object);
      progress((done += 1));
    }
  };
  await applyAll(definitions);
  await awaitDefinitions(place, definitions);
  await applyAll([...others, ...workloads.map((workload) => withReplicas(workload, 0))]);
  await awaitStopped(place, workloads);
}

/**
 * Lets Argo CD run as its manifest says, and waits until it does.
 *
 * @throws SystemError: it does not; with the pods and why
 */
export async function startInstalled(
  place: Place,
  { workloads }: Installation,
  keep: KeepLog,
  progress: (done: number) => void,
): Promise<void> {
  const resources = new Resources(place.kubernetes);
  for (const workload of workloads)
    await apply(place, resources, withReplicas(workload, replicasOf(workload)));
  await awaitReady(place, workloads, keep, progress);
}

async function apply(
  { kubernetes, namespace, guard }: Place,
  resources: Resources,
  manifest: Manifest,
): Promise<void> {
  const resource = await resources.find(manifest);
  if (!resource) {
    throw new WrongManifest(
      `The manifest of Argo CD has ${nameOf(manifest)} (${manifest.apiVersion}), which this cluster does not know.`,
      {
        advice:
          'Put its definition into the manifest, or leave the object out, and write the new hash into argocd.install.sha256.',
      },
    );
  }
  await guard();
  await kubernetes.apply(objectPath(resource, manifest, namespace), manifest.object);
}

const workloadSchema = z.looseObject({ spec: z.looseObject({ replicas: z.int().min(0).default(1) }) });

const replicasOf = ({ object }: Manifest): number => workloadSchema.parse(object).spec.replicas;

function withReplicas(manifest: Manifest, replicas: number): Manifest {
  const { spec, ...object } = workloadSchema.parse(manifest.object);
  return { ...manifest, object: { ...object, spec: { ...spec, replicas } } };
}
