import { z } from 'zod';
import type { Manifest } from '../../model/manifests.ts';
import type { Kubernetes } from '../kubernetes/index.ts';
import { explainPods, podsOf, type KeepLog } from '../kubernetes/pods.ts';
import { untilClear } from '../kubernetes/until-clear.ts';
import { SystemError } from '../system-error.ts';

/** Longer than the 30 seconds that a pod is given to end. */
const stoppedWithinMs = 120_000;
/** Images have to be pulled to an empty node. */
const readyWithinMs = 10 * 60_000;
/** It ends up in a workflow's history and in a terminal. */
const longestMessage = 6000;

interface Place {
  kubernetes: Kubernetes;
  /** Of Argo CD. */
  namespace: string;
  signal: AbortSignal;
}

/**
 * Waits until no pod of these workloads runs: one of an Argo CD that was there before would sync what is restored.
 *
 * @throws SystemError: one takes too long
 */
export async function awaitStopped(
  { kubernetes, namespace, signal }: Place,
  workloads: Manifest[],
): Promise<void> {
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

/**
 * Waits until all pods of these workloads are ready, as their newest generation has them.
 *
 * @throws SystemError: they are not in time; with the pods and why
 */
export async function awaitReady(
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
