import type { Image } from '../../model/delivery/change.ts';
import type { AnswerKind } from '../network/answers.ts';
import { SystemError, type Circumstances } from '../system-error.ts';

export interface Build {
  /** Folder of the build context. */
  context: string;
  /** Path of the Dockerfile. */
  dockerfile: string;
  /** Stage to stop at; without it, the last. */
  target?: string;
  buildArgs?: Record<string, string>;
  timeoutMs: number;
  signal: AbortSignal;
  onOutput: (text: string) => void;
}

export interface Push {
  /** Without tag. */
  name: string;
  tag: string;
  /** OCI annotations and labels. */
  labels: Record<string, string>;
  /** Seconds since the epoch that all timestamps are set to: a rebuild of a commit is the same image. */
  createdAt: number;
}

export type Built<T> = ({ state: 'built' } & T) | { state: 'failed' | 'timed-out' };

/** Builds images and asks the registry about them. */
export interface Images {
  /** Builds and throws the result away: a `test` stage. */
  tryBuild(build: Build): Promise<Built<object>>;
  /** Builds, pushes, and returns the digest that the registry has it by. */
  buildAndPush(build: Build, push: Push): Promise<Built<{ digest: string }>>;
  /** Labels of an image by digest; undefined when the registry has none of it. */
  labels(image: Image): Promise<Record<string, string> | undefined>;
}

/** The registry did not do what it was asked for. */
export class RegistryError extends SystemError {
  override readonly name = 'RegistryError';
  readonly kind: AnswerKind;

  constructor(kind: AnswerKind, fact: string, circumstances: Omit<Circumstances, 'lasting'> = {}) {
    super(fact, { ...circumstances, lasting: kind !== 'unavailable' && kind !== 'rate-limited' });
    this.kind = kind;
  }
}
