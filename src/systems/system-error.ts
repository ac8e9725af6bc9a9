export interface Circumstances {
  /** What to change. */
  advice?: string | undefined;
  /** Whether it was never heard: it is down, or the address, the network or a certificate is wrong. */
  unreachable?: boolean;
  /** Whether no other attempt mends it: a person has to. */
  lasting?: boolean;
  /** How long it wants to be left alone. */
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/** An outside system did not do what it was asked for. The message says what happened, where, and what to change. */
export class SystemError extends Error {
  /** The message without the advice. */
  readonly fact: string;
  readonly advice: string | undefined;
  readonly unreachable: boolean;
  readonly lasting: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    fact: string,
    { advice, unreachable = false, lasting = false, retryAfterMs, cause }: Circumstances = {},
  ) {
    super(advice === undefined ? fact : `${fact} ${advice}`, cause === undefined ? undefined : { cause });
    this.fact = fact;
    this.advice = advice;
    this.unreachable = unreachable;
    this.lasting = lasting;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What a person reads of whatever was thrown. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `fetch` and others hide why they failed below "fetch failed". */
export function rootCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return rootCause(error.cause);
  // Of a host with several addresses each was tried, and each failed in its own way.
  const [first] = error instanceof AggregateError ? error.errors : [];
  return first === undefined ? error.message : rootCause(first);
}
