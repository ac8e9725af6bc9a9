import { z } from 'zod';
import { nameOf, type Manifest } from '../../model/manifests.ts';
import { SystemError } from '../system-error.ts';
import { KubernetesError, type Kubernetes } from '../kubernetes/index.ts';
import { WrongManifest } from './index.ts';
import type { Installation } from './manifest.ts';
import { untilClear } from '../kubernetes/until-clear.ts';
import { explainPods, podsOf, type KeepLog } from '../kubernetes/pods.ts';
import { objectPath, Resources, type Resource } from '../kubernetes/resources.ts';

export interface Place {
  kubernetes: Kubernetes;
  /** Of Argo CD. */
  namespace: string;
  signal: AbortSignal;
  /** Asked before each change. @throws when this must not go on */
  guard: () => Promise<void>;
}

/** An API server serves new definitions within seconds; a busy one takes longer. */
const establishedWithinMs = 120_000;
/** Longer than the 30 seconds that a pod is given to end. */
const stoppedWithinMs = 120_000;
/** Images have to be pulled to an empty node. */
const readyWithinMs = 10 * 60_000;
/** It ends up in a workflow's history and in a terminal. */
const longestMessage = 6000;

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
  await established(place, definitions);
  await applyAll([...others, ...workloads.map((workload) => withReplicas(workload, 0))]);
  await stopped(place, workloads);
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
  await ready(place, workloads, keep, progress);
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

const definitionStateSchema = z.object({
  spec: z.object({
    group: z.string(),
    names: z.object({ kind: z.string() }),
    versions: z.array(z.object({ name: z.string(), served: z.boolean() })),
  }),
  status: z
    .object({
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string().default('') }))
        .nullish(),
    })
    .prefault({}),
});

async function established({ kubernetes, signal }: Place, definitions: Manifest[]): Promise<void> {
  const resources = new Resources(kubernetes);
  const look = async (): Promise<string | undefined> => {
    for (const { name, apiVersion } of definitions) {
      const raw = await kubernetes.get(
        `/apis/${apiVersion}/customresourcedefinitions/${encodeURIComponent(name)}`,
      );
      if (raw === undefined) return `the definition ${name} is gone.`;
      const { spec, status } = definitionStateSchema.parse(raw);
      const conditions = status.conditions ?? [];
      const unmet = conditions.find(
        ({ type, status: is }) => (type === 'NamesAccepted' || type === 'Established') && is !== 'True',
      );
      if (unmet || conditions.length === 0) {
        return `the definition ${name} is not established${unmet ? `: ${unmet.message}` : '.'}`;
      }
      const version = spec.versions.find(({ served }) => served)?.name ?? '';
      const kind = { apiVersion: `${spec.group}/${version}`, kind: spec.names.kind };
      const resource = await resources.find(kind);
      if (!resource || !(await answers(kubernetes, resource))) {
        return `${spec.names.kind}s are defined and not served yet.`;
      }
    }
    return undefined;
  };
  await untilClear(look, { withinMs: establishedWithinMs, signal });
}

/** A kind is announced a moment before it is stored. */
async function answers(kubernetes: Kubernetes, { path }: Resource): Promise<boolean> {
  try {
    return (await kubernetes.get(path, { limit: 1 })) !== undefined;
  } catch (error) {
    if (error instanceof KubernetesError && [429, 503].includes(error.status)) return false;
    throw error;
  }
}

/** What ran before, of an Argo CD that was there, would sync what is restored. */
async function stopped({ kubernetes, namespace, signal }: Place, workloads: Manifest[]): Promise<void> {
  const look = async (): Promise<string | undefined> => {
    for (const { kind, name } of workloads) {
      const pods = await podsOf(kubernetes, { kind, namespace, name });
      const pod = pods.find(({ status }) => !['Succeeded', 'Failed'].includes(status.phase));
      if (pod) return `the pod ${pod.metadata.name} of the Argo CD that was there has not ended.`;
    }
    return undefined;
  };
  await untilClear(look, { withinMs: stoppedWithinMs, signal });
}

const rolloutSchema = z.object({
  metadata: z.object({ generation: z.number() }),
  spec: z.object({ replicas: z.number() }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      updatedReplicas: z.number().default(0),
      readyReplicas: z.number().default(0),
    })
    .prefault({}),
});

async function ready(
  { kubernetes, namespace, signal }: Place,
  workloads: Manifest[],
  keep: KeepLog,
  progress: (done: number) => void,
): Promise<void> {
  const isReady = async ({ apiVersion, kind, name }: Manifest): Promise<boolean> => {
    const raw = await kubernetes.get(
      `/apis/${apiVersion}/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`,
    );
    if (raw === undefined) return false;
    const { metadata, spec, status } = rolloutSchema.parse(raw);
    return (
      status.observedGeneration >= metadata.generation &&
      status.updatedReplicas >= spec.replicas &&
      status.readyReplicas >= spec.replicas
    );
  };
  let late: Manifest[] = [];
  const look = async (): Promise<string | undefined> => {
    const states = await Promise.all(workloads.map(isReady));
    late = workloads.filter((_, index) => !states[index]);
    progress(workloads.length - late.length);
    return late.length === 0
      ? undefined
      : `${late.map(({ kind, name }) => `${kind} ${name}`).join(', ')} not ready.`;
  };
  try {
    await untilClear(look, { withinMs: readyWithinMs, signal });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const why = await Promise.all(
      late.map(({ kind, name }) => explainPods(kubernetes, { kind, namespace, name }, keep)),
    );
    throw new SystemError([error.message, ...why.flat()].join('\n').slice(0, longestMessage));
  }
}
