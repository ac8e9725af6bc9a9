import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { z } from 'zod';

const waitSchema = z.object({ waitsFor: z.string() });

/**
 * What a workflow's history does not tell before an activity ends: what a wait waits for, or why the last attempt failed
 * of one that is tried again.
 */
export function progressOf({ raw }: WorkflowExecutionDescription): string | undefined {
  for (const { attempt, lastFailure, heartbeatDetails } of raw.pendingActivities ?? []) {
    const [payload] = heartbeatDetails?.payloads ?? [];
    const wait = waitSchema.safeParse(payload && defaultPayloadConverter.fromPayload(payload));
    if (wait.success) return `waits for ${wait.data.waitsFor}`;
    if (lastFailure?.message)
      return `tried ${(attempt ?? 1) - 1} times, and again soon: ${lastFailure.message}`;
  }
  return undefined;
}
