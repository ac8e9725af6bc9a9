import type { Change } from './delivery/change.ts';

/** Keys in the object store: what outlives Temporal's histories. */
export const objectKeys = {
  repository: 'state/repository.json',
  environment: (environment: string, service: string) => `state/${environment}/${service}.json`,
  delivery: ({ service, commit }: Change) => `deliveries/${service}/${commit}.json`,
  build: ({ service, commit }: Change) => `builds/${service}/${commit}.json`,
  log: ({ service, commit }: Change, step: string, attempt: string) =>
    `logs/${service}/${commit}/${step}-${attempt}.log`,
  /** What a container wrote that would not get ready. */
  podLog: ({ service, commit }: Change, environment: string, attempt: string, container: string) =>
    `logs/${service}/${commit}/${environment}-${attempt}-${container}.log`,
  /** The same of Argo CD's own, while a cluster is rebuilt. @param recreation its run ID */
  recreationLog: (cluster: string, recreation: string, container: string) =>
    `recreations/${cluster}/${recreation.slice(0, 8)}-${container}.log`,
  /** @param began ISO 8601 @param recreation its run ID */
  recreation: (cluster: string, began: string, recreation: string) =>
    `recreations/${cluster}/${began.slice(0, 10)}-${recreation.slice(0, 8)}.json`,
  /** @param digest of the diff itself */
  diff: (environment: string, { service, commit }: Change, digest: string) =>
    `diffs/${environment}/${service}/${commit}-${digest.slice(7, 19)}.diff`,
};
