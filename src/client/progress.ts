import type { WorkflowExecutionDescription } from '@temporalio/client';
import {
  ApplicationFailureCategory,
  decodeApplicationFailureCategory,
  defaultPayloadConverter,
  type ProtoFailure,
} from '@temporalio/common';
import { z } from 'zod';
import { workSchema } from '../model/recovery/recreation.ts';

const waitSchema = z.object({ waitsFor: z.string() });

/**
 * What a workflow's history does not tell before an activity ends: how far it is, what a wait waits for, or why the last
 * attempt failed of one that is tried again.
 */
export function progressOf({ raw }: WorkflowExecutionDescription): string | undefined {
  for (const { attempt, lastFailure, heartbeatDetails } of raw.pendingActivities ?? []) {
    const [payload] = heartbeatDetails?.payloads ?? [];
    const told: unknown = payload && defaultPayloadConverter.fromPayload(payload);
    const wait = waitSchema.safeParse(told);
    if (wait.success) return `waits for ${wait.data.waitsFor}`;
    const work = workSchema.safeParse(told);
    const far = work.success ? [`${work.data.done} of ${work.data.of} ${work.data.what}`] : [];
    const again = lastFailure?.message ? [againBecause(lastFailure, attempt ?? 1)] : [];
    if (far.length + again.length > 0) return [...far, ...again].join('; ');
  }
  return undefined;
}

/** What fails as expected waits for something, and says for what. */
function againBecause({ message, applicationFailureInfo }: ProtoFailure, attempt: number): string {
  const category = decodeApplicationFailureCategory(applicationFailureInfo?.category);
  if (category === ApplicationFailureCategory.BENIGN) return message ?? '';
  return `tried ${attempt - 1} times, and again soon: ${message}`;
}
