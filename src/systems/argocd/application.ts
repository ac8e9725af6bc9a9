import { z } from 'zod';
import type { Application, Operation, ResourceState } from '../../model/argocd/application.ts';
import { isRecord } from '../../model/json.ts';
import type { HeldObject } from './index.ts';

/** The name of the `operation.info` entry that holds our ID; Argo CD carries it into `status.operationState`. */
export const operationInfo = 'gitops-operation';

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const info = z.array(z.object({ name: z.string(), value: z.string() })).nullish();
const operation = z.object({
  info,
  initiatedBy: z.object({ username: z.string().optional(), automated: z.boolean().optional() }).optional(),
  sync: z.object({ revision: z.string().optional(), resources: z.array(z.unknown()).nullish() }).nullish(),
});

const text = z.string().optional();
const options = z.record(z.string(), z.unknown());
/** `spec.destination`: the cluster by its address or its name, and where objects go that name no namespace. */
export const destinationSchema = z.object({ server: text, name: text, namespace: text });
/** An entry of `status.resources`. */
export const resourceSchema = z.object({
  group: text,
  version: text,
  kind: z.string(),
  namespace: text,
  name: z.string(),
  status: text,
  requiresPruning: z.boolean().optional(),
  health: z.object({ status: text, message: text }).nullish(),
});

const heldSchema = z.object({
  status: z
    .object({ resources: z.array(resourceSchema.extend({ hook: z.boolean().optional() })).nullish() })
    .default({}),
});

/** All that belongs to an Application, other than hooks. */
export const parseHeld = (raw: unknown): HeldObject[] =>
  (heldSchema.parse(raw).status.resources ?? [])
    .filter(({ hook }) => !hook)
    .map(({ group = '', version = '', kind, namespace = '', name, requiresPruning = false }) => ({
      ...{ group, version, kind, namespace, name },
      requiresPruning,
    }));

/** It may quote whole values of a manifest, and goes into histories, whose size Temporal bounds. */
const mostOfMessage = 4000;
const message = z
  .string()
  .transform((told) => (told.length > mostOfMessage ? `${told.slice(0, mostOfMessage)}…` : told));

/** Of `argoproj.io/v1alpha1` Application what is read here; the rest is dropped, since thousands are kept. */
const applicationSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: text, deletionTimestamp: z.string().optional() }),
  spec: z.object({
    project: z.string().default('default'),
    source: z
      .object({
        repoURL: z.string(),
        path: z.string().optional(),
        targetRevision: z.string().optional(),
        kustomize: options.optional(),
        plugin: options.nullish(),
        helm: options.nullish(),
        directory: options.nullish(),
      })
      .nullish(),
    sourceHydrator: z.unknown().optional(),
    sources: z.array(z.unknown()).nullish(),
    destination: destinationSchema,
    syncPolicy: z
      .object({
        automated: z
          .object({ enabled: z.boolean().default(true), prune: z.boolean().default(false) })
          .nullish(),
      })
      .optional(),
  }),
  operation: operation.nullish(),
  status: z
    .object({
      sync: z.object({ status: z.string().default('Unknown'), revision: z.string().optional() }).optional(),
      health: z
        .object({
          status: z.string().default('Unknown'),
          message: message.optional(),
          lastTransitionTime: time.optional(),
        })
        .optional(),
      reconciledAt: time.optional(),
      conditions: z
        .array(z.object({ type: z.string(), message, lastTransitionTime: time.optional() }))
        .nullish(),
      summary: z.object({ images: z.array(z.string()).nullish() }).nullish(),
      resources: z.array(resourceSchema).nullish(),
      resourceHealthSource: text,
      history: z.array(z.object({ id: z.number(), revision: z.string().optional() })).nullish(),
      operationState: z
        .object({
          operation,
          phase: z.string(),
          message: message.optional(),
          startedAt: time,
          finishedAt: time.nullish(),
          syncResult: z.object({ revision: z.string().optional() }).nullish(),
        })
        .nullish(),
    })
    .default({}),
});

/** @throws ZodError when it is not an Application */
export function parseApplication(raw: unknown): Application {
  const { metadata, spec, operation, status } = applicationSchema.parse(raw);
  const { sync, health, reconciledAt, conditions, resources, summary, history, operationState } = status;
  const automated = spec.syncPolicy?.automated;
  const deployed = (history ?? []).toSorted((a, b) => b.id - a.id).map(({ revision }) => commitOf(revision));
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    source: spec.sources?.length || spec.sourceHydrator ? undefined : sourceOf(spec.source),
    hydrated: Boolean(spec.sourceHydrator),
    project: spec.project,
    destination: spec.destination,
    automated: automated?.enabled ? { prune: automated.prune } : undefined,
    deleting: metadata.deletionTimestamp !== undefined,
    sync: { status: sync?.status ?? 'Unknown', revision: commitOf(sync?.revision) },
    health: {
      status: health?.status ?? 'Unknown',
      message: health?.message,
      since: health?.lastTransitionTime,
    },
    reconciledAt,
    conditions: (conditions ?? []).map(({ type, message, lastTransitionTime: since }) => ({
      type,
      message,
      since,
    })),
    resources: (resources ?? []).filter(isTroubled).map(toResourceState),
    healthElsewhere: status.resourceHealthSource === 'appTree',
    requested: operation ? { id: idOf(operation) } : undefined,
    operation: operationState ? toOperation(operationState) : undefined,
    deployedRevision: deployed[0],
    deployedRevisions: deployed.filter((revision) => revision !== undefined),
    images: summary?.images ?? [],
  };
}

function sourceOf(source: z.infer<typeof applicationSchema>['spec']['source']): Application['source'] {
  if (!source) return undefined;
  const { plugin, helm, directory, ...rest } = source;
  return { ...rest, renderer: rendererOf({ plugin, helm, directory }) };
}

/** An empty block of another tool means nothing to Argo CD; an empty `plugin` means whichever plugin fits. */
const rendererOf = (tools: Record<'plugin' | 'helm' | 'directory', unknown>): string | undefined =>
  Object.entries(tools).find(
    ([name, settings]) => isRecord(settings) && (name === 'plugin' || Object.keys(settings).length > 0),
  )?.[0];

type Resource = z.infer<typeof resourceSchema>;

/** Thousands of Applications are kept: not with what is well in them. */
const isTroubled = ({ status, health }: Resource): boolean =>
  status === 'OutOfSync' || (health?.status !== undefined && health.status !== 'Healthy');

const toResourceState = ({ group, kind, namespace, name, status, health }: Resource): ResourceState => ({
  group,
  kind,
  namespace,
  name,
  sync: status,
  health: health ?? undefined,
});

function toOperation({
  operation,
  finishedAt,
  syncResult,
  ...state
}: NonNullable<z.infer<typeof applicationSchema>['status']['operationState']>): Operation {
  const { automated, username } = operation.initiatedBy ?? {};
  return {
    ...state,
    id: idOf(operation),
    by: automated ? 'Argo CD itself' : (username ?? 'somebody'),
    automated,
    healing: automated && (operation.sync?.resources ?? []).length > 0,
    finishedAt: finishedAt ?? undefined,
    // Until it has rendered anything, it has no result.
    revision: commitOf(syncResult?.revision ?? operation.sync?.revision),
  };
}

/** Where Argo CD could not render, it names the branch instead of a commit. */
const commitOf = (revision: string | undefined): string | undefined =>
  /^[0-9a-f]{40}$/.test(revision ?? '') ? revision : undefined;

const idOf = ({ info }: z.infer<typeof operation>): string | undefined =>
  info?.find(({ name }) => name === operationInfo)?.value;
