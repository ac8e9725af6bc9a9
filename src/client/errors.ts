import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { z } from 'zod';
import { issueText } from '../model/text/issue-text.ts';
import { UnreadablePayload } from '../systems/temporal/codec.ts';

/**
 * `usage`: what was asked for makes no sense (a bad name, an unknown change, a configuration that lacks something);
 * `refused`: a rule or a person stands against it; `unreachable`: a system did not answer. Nothing was changed in the
 * first two cases.
 */
export type ErrorKind = 'usage' | 'refused' | 'unreachable';

/** The only error that this client throws on purpose. Its message says what, where, and what to do. */
export class GitopsError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GitopsError';
    this.kind = kind;
  }
}

/** Whether another try in a while may do. */
export const isPassing = (error: unknown): boolean =>
  error instanceof GitopsError && error.kind === 'unreachable';

/** @throws GitopsError `usage` naming each field that is wrong and what it may be */
export function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new GitopsError('usage', issueText(parsed.error.issues), { cause: parsed.error });
}

// The gRPC status codes that are told apart here (https://grpc.io/docs/guides/status-codes/).
const cancelled = 1;
const invalidArgument = 3;
const deadlineExceeded = 4;
const notFound = 5;
const permissionDenied = 7;
const failedPrecondition = 9;
const unavailable = 14;
const unauthenticated = 16;

/** Puts what Temporal's client throws into words and a kind; other errors pass. */
export function inOurWords(error: unknown): unknown {
  if (error instanceof GitopsError || error instanceof WorkflowNotFoundError) return error;
  const refusal = refusalIn(error);
  if (refusal) return new GitopsError('refused', refusal.message, { cause: error });
  const unreadable = causes(error).find((cause) => cause instanceof UnreadablePayload);
  if (unreadable) return new GitopsError('usage', unreadable.message, { cause: error });
  const answer = causes(error).find(isGrpcServiceError);
  if (!answer) return error;
  const say = (kind: ErrorKind, message: string) => new GitopsError(kind, message, { cause: error });
  const code: number = answer.code;
  switch (code) {
    case unavailable:
      return say(
        'unreachable',
        `Temporal cannot be reached (${answer.details}). TEMPORAL_ADDRESS says where it is.`,
      );
    // What this side gave up at its deadline.
    case cancelled:
    case deadlineExceeded:
      return say(
        'unreachable',
        'Nobody answered in time: either Temporal is overloaded, or no worker of this platform runs. Start one: gitops worker',
      );
    case failedPrecondition:
      return /no poller/i.test(answer.details)
        ? say(
            'unreachable',
            `No worker of this platform runs (${answer.details}). Start one: gitops worker. Nothing is lost: all goes on where it was.`,
          )
        : error;
    case permissionDenied:
    case unauthenticated:
      return say(
        'unreachable',
        `Temporal refused our credentials (${answer.details}). Look at TEMPORAL_API_KEY or the TLS settings of your profile.`,
      );
    case notFound:
      return say(
        'usage',
        `Temporal has none of it: ${answer.details}. TEMPORAL_NAMESPACE says where to look.`,
      );
    case invalidArgument:
      return /search attribute/i.test(answer.details)
        ? say(
            'usage',
            `Temporal does not know our search attributes (${answer.details}). Run once: gitops setup`,
          )
        : say('usage', `Temporal did not accept it: ${answer.details}`);
    default:
      return error;
  }
}

/** What a workflow or an activity refused, because a rule or bad input stands against it. */
export function refusalIn(error: unknown): ApplicationFailure | undefined {
  const failure = causes(error).find((cause) => cause instanceof ApplicationFailure);
  return failure?.type === 'Refused' ? failure : undefined;
}

function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let next = error; next instanceof Error && !chain.includes(next); next = next.cause) chain.push(next);
  return chain;
}
