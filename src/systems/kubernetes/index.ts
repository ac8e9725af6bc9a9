import type { KubeConfig } from '@kubernetes/client-node';
import { SystemError } from '../system-error.ts';

export type Query = Record<string, string | number>;

/** The API server's few verbs that are used here, on paths, with what comes back unparsed. */
export interface Kubernetes {
  readonly config: KubeConfig;
  /** Undefined when there is none. */
  get(path: string, query?: Query): Promise<unknown>;
  /** Text, such as logs. */
  text(path: string, query?: Query): Promise<string>;
  post(path: string, body: object): Promise<unknown>;
  /** @throws KubernetesError 409: the object's `resourceVersion` is not the newest */
  put(path: string, body: object): Promise<unknown>;
  /** A JSON merge patch: null removes. */
  patch(path: string, body: object): Promise<unknown>;
  /** Server-side apply: makes the object, or takes over of it what the body says, whoever said otherwise before. */
  apply(path: string, body: object): Promise<unknown>;
  /**
   * Also of all objects that a collection's path and the query name. Nothing there is no error.
   *
   * @throws KubernetesError 409: it is another object of that name than the one meant
   */
  delete(path: string, query?: Query, meant?: { uid: string }): Promise<void>;
}

const advice: Record<number, (source: string) => string> = {
  0: (source) => `${source} says where the cluster is.`,
  401: (source) => `Renew the credentials that ${source} names.`,
  403: () => 'Give the account that right in the cluster.',
};

/** An answer of the API server that is not a success. `status` is the HTTP status, 0 without an answer. */
export class KubernetesError extends SystemError {
  readonly status: number;

  /** @param source of address and credentials */
  constructor(status: number, fact: string, source = 'KUBECONFIG') {
    super(fact, {
      advice: advice[status]?.(source),
      unreachable: status === 0,
      // This account is not known, or may not.
      lasting: status === 401 || status === 403,
    });
    this.status = status;
  }
}

/** Whether the API server has no such object, or does not know such objects at all. */
export const isMissing = (error: unknown): boolean =>
  error instanceof KubernetesError && error.status === 404;

/** Whether the object is there already, or has another version than the one that was read. */
export const isConflict = (error: unknown): boolean =>
  error instanceof KubernetesError && error.status === 409;

/** Whether this account may not do it. */
export const isForbidden = (error: unknown): boolean =>
  error instanceof KubernetesError && error.status === 403;
