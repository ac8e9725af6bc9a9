import {
  ApplicationFailure,
  CancellationScope,
  log,
  setHandler,
  workflowInfo,
  type SignalDefinition,
} from '@temporalio/workflow';
import type { z } from 'zod';
import { issueText } from '../model/text/issue-text.ts';
import { isUnreadable } from './payload-converter.ts';

const problems = ({ issues }: z.ZodError): string => issueText(issues.slice(0, 5));

/**
 * Handles a signal that has the right shape. Signals come from whoever reaches the namespace, and an error thrown by a
 * handler would stop the workflow for good: another one is dropped, logged, and told to whom `refuse` knows.
 *
 * What a handler does goes on when the workflow was asked to cancel: who sent the signal waits for an answer all the same.
 */
export function onSignal<T>(
  signal: SignalDefinition<[T]>,
  schema: z.ZodType<T>,
  handle: (value: T) => void | Promise<void>,
  refuse?: (received: unknown, reason: string) => Promise<void>,
): void {
  setHandler(signal, (received: unknown) =>
    CancellationScope.nonCancellable(async () => {
      const parsed = schema.safeParse(received);
      if (parsed.success) return handle(parsed.data);
      const reason = problems(parsed.error);
      log.warn('a signal was refused', { signal: signal.name, problems: reason });
      return refuse?.(received, reason);
    }),
  );
}

/**
 * @throws ApplicationFailure `Refused`: somebody started it by hand with something else, which no attempt mends
 * @throws Error that stops the workflow task: no worker here can read it, which one with the right code or key will
 */
export function checkedInput<T>(schema: z.ZodType<T>, input: unknown): T {
  if (isUnreadable(input)) throw new Error(`What it was started with cannot be read: ${input.unreadable}`);
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw ApplicationFailure.nonRetryable(
    `It was started with bad input: ${problems(parsed.error)}`,
    'Refused',
  );
}

/**
 * As `checkedInput`, for what carries a state from run to run: nothing of it is to be lost.
 *
 * @throws Error that stops the workflow task, until an operator mends the code or terminates it
 */
export function carriedInput<T extends { carried?: unknown }>(schema: z.ZodType<T>, input: T): T {
  if (isUnreadable(input) || input?.carried === undefined) return checkedInput(schema, input);
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new Error(`The state that it carries cannot be read: ${problems(parsed.error)}`);
}

/**
 * Of one change there is one delivery, of one service one environment: by their IDs.
 *
 * @throws ApplicationFailure `Refused`
 */
export function checkOwnId(wanted: string): void {
  const { workflowId } = workflowInfo();
  if (workflowId === wanted) return;
  throw ApplicationFailure.nonRetryable(
    `It was started as ${workflowId}, but its ID is ${wanted}.`,
    'Refused',
  );
}
