import type { Change } from './delivery/change.ts';

/** Keys in the object store: what outlives Temporal's histories. */
export const objectKeys = {
  /** Says whose bucket it is: other keys begin with the name of a service or an environment, which another platform may have. */
  owner: 'doctor/platform.txt',
  repository: 'state/repository.json',
  environment: (environment: string, service: string) => `state/${environment}/${service}.json`,
  delivery: ({ service, commit }: Change) => `deliveries/${service}/${commit}.json`,
  build: ({ service, commit }: Change) => `builds/${service}/${commit}.json`,
  /** Where all that its steps wrote lies, as `logOrigin` reads it. */
  logs: ({ service, commit }: Change) => `logs/${service}/${commit}/`,
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

/** Who wrote a log. */
export interface LogOrigin {
  /** As a status names it: `test`, `build`, or an environment. */
  step: string;
  /** What of that step: `test`, `build`, `end-to-end`, or what a container is called that would not get ready. */
  source: string;
  /** First digits of the ID of the run that asked for it: a change may be delivered several times. */
  run: string;
  /** Counted from 1 in each run. */
  attempt: number;
}

const endToEnd = 'end-to-end';
const logName =
  /\/(?:end-to-end-(?<tested>[^/]+?)|(?<step>[^/]+?))-(?<run>[0-9a-f]{8})-(?<attempt>\d+)(?:-(?<container>[^/]+))?\.log$/;

/** What the key of a log tells; undefined of one that this program did not write. */
export function logOrigin(key: string): LogOrigin | undefined {
  const { tested, step = '', run = '', attempt, container } = logName.exec(key)?.groups ?? {};
  if (attempt === undefined) return undefined;
  const origin =
    tested === undefined ? { step, source: container ?? step } : { step: tested, source: endToEnd };
  return { ...origin, run, attempt: Number(attempt) };
}

/** Step of `objectKeys.log` for the end-to-end test in an environment. */
export const endToEndStep = (environment: string): string => `${endToEnd}-${environment}`;
