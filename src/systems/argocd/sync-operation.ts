import { z } from 'zod';
import { isNamed, isUnfinished, type OperationName } from '../../model/argocd/application.ts';
import { isRecord } from '../../model/json.ts';
import { operationInfo, parseApplication } from './application.ts';
import type { Started, SyncRequest } from './index.ts';
import { isConflict, type Kubernetes } from '../kubernetes/index.ts';

/** Argo CD writes an Application several times a second while it syncs; each conflict is one such write. */
const conflictLimit = 20;

const looseApplication = z.looseObject({
  spec: z.looseObject({
    sources: z.array(z.unknown()).nullish(),
    syncPolicy: z
      .looseObject({
        syncOptions: z.array(z.string()).nullish(),
        retry: z.record(z.string(), z.unknown()).nullish(),
      })
      .optional(),
  }),
  status: z.record(z.string(), z.unknown()).default({}),
});
type LooseApplication = z.infer<typeof looseApplication>;

/**
 * Starts an operation as Argo CD's own API server does: read, refuse when one is there, write it with the version that
 * was read and without the last one's state. A blind patch would be lost while another operation ends, silently.
 *
 * @throws KubernetesError
 */
export async function startOperation(
  kubernetes: Kubernetes,
  path: string,
  request: SyncRequest,
): Promise<Started> {
  return changing(kubernetes, path, (raw) => {
    const { operation, requested } = parseApplication(raw);
    if (operation?.id === request.id || requested?.id === request.id) return { state: 'ours' };
    if (requested || (operation && isUnfinished(operation))) {
      const { by = 'somebody', startedAt } = operation ?? {};
      return { state: 'busy', by, id: requested?.id ?? operation?.id, startedAt };
    }
    const sources = raw.spec.sources?.length || 1;
    if (sources !== request.revisions.length) return { state: 'unfit', sources };
    const { operationState: _, ...status } = raw.status;
    return { write: { ...raw, operation: syncOperation(raw, request), status }, then: { state: 'ours' } };
  });
}

/**
 * Ends an operation, if it is what runs or is about to; any other is left alone.
 *
 * @throws KubernetesError
 */
export async function terminateOperation(
  kubernetes: Kubernetes,
  path: string,
  name: OperationName,
): Promise<void> {
  await changing(kubernetes, path, (raw) => {
    const { operation, requested } = parseApplication(raw);
    const done = { state: 'ours' } as const;
    if (operation && isUnfinished(operation)) {
      if (!isNamed(operation, name) || operation.phase === 'Terminating') return done;
      const { operationState: running } = raw.status;
      const operationState = { ...(isRecord(running) && running), phase: 'Terminating' };
      return { write: { ...raw, status: { ...raw.status, operationState } }, then: done };
    }
    if (!requested || !('id' in name) || requested.id !== name.id) return done;
    const { operation: _, ...without } = raw;
    return { write: without, then: done };
  });
}

/** Reads, lets `decide` say what to write, and writes it with the version that was read, again until none came between. */
async function changing(
  kubernetes: Kubernetes,
  path: string,
  decide: (raw: LooseApplication) => Started | { write: object; then: Started },
): Promise<Started> {
  for (let conflicts = 0; ; conflicts += 1) {
    const answer = await kubernetes.get(path);
    if (answer === undefined) return { state: 'absent' };
    const decision = decide(looseApplication.parse(answer));
    if (!('write' in decision)) return decision;
    try {
      await kubernetes.put(path, decision.write);
      return decision.then;
    } catch (error) {
      if (!isConflict(error) || conflicts >= conflictLimit) throw error;
    }
  }
}

/** What Argo CD's API server writes for `argocd app sync`; the controller adds nothing of the spec's policy itself. */
function syncOperation({ spec }: LooseApplication, request: SyncRequest): object {
  const { sources, syncPolicy } = spec;
  const { id, revisions, prune, resources, retries, reason } = request;
  // With `refresh`, a retry would take whatever the branch's head is by then.
  const { refresh: _, ...retry } = (!resources && syncPolicy?.retry) || { limit: retries };
  return {
    initiatedBy: { username: 'gitops' },
    info: [
      { name: operationInfo, value: id },
      { name: 'Reason', value: reason },
    ],
    sync: {
      ...(sources?.length ? { revisions } : { revision: revisions[0] }),
      prune,
      ...(resources && { resources }),
      ...(syncPolicy?.syncOptions && { syncOptions: syncPolicy.syncOptions }),
    },
    retry,
  };
}
