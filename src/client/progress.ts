import type { WorkflowExecutionDescription, Client } from '@temporalio/client';
import {
  ApplicationFailureCategory,
  decodeApplicationFailureCategory,
  defaultPayloadConverter,
  type ProtoFailure,
  type Payload,
} from '@temporalio/common';
import { z } from 'zod';
import { workSchema } from '../model/recovery/recreation.ts';

const encodedSchema = z.object({ message: z.string() });
const waitSchema = z.object({ waitsFor: z.string() });

/**
 * What a workflow's history does not tell before an activity ends: how far it is, what a wait waits for, or why the last
 * attempt failed of one that is tried again.
 */
export async function progressOf(
  client: Client,
  { raw }: WorkflowExecutionDescription,
): Promise<string | undefined> {
  for (const { attempt, lastFailure, heartbeatDetails } of raw.pendingActivities ?? []) {
    const told = await read(client, heartbeatDetails?.payloads?.[0]);
    const wait = waitSchema.safeParse(told);
    if (wait.success) return `waits for ${wait.data.waitsFor}`;
    const work = workSchema.safeParse(told);
    const far = work.success ? [`${work.data.done} of ${work.data.of} ${work.data.what}`] : [];
    const message = lastFailure && (await messageOf(client, lastFailure));
    const again = message ? [againBecause(message, lastFailure, attempt ?? 1)] : [];
    if (far.length + again.length > 0) return [...far, ...again].join('; ');
  }
  return undefined;
}

/** What fails as expected waits for something, and says for what. */
function againBecause(message: string, { applicationFailureInfo }: ProtoFailure, attempt: number): string {
  const category = decodeApplicationFailureCategory(applicationFailureInfo?.category);
  if (category === ApplicationFailureCategory.BENIGN) return message;
  return `tried ${attempt - 1} times, and again soon: ${message}`;
}

/** Where payloads are encrypted, so is the message. */
async function messageOf(
  client: Client,
  { message, encodedAttributes }: { message?: string | null; encodedAttributes?: Payload | null },
): Promise<string | null | undefined> {
  const { data } = encodedSchema.safeParse(await read(client, encodedAttributes));
  return data?.message ?? message;
}

/** What the SDK hands out as it came. */
async function read(client: Client, payload: Payload | null | undefined): Promise<unknown> {
  if (!payload) return undefined;
  let payloads = [payload];
  for (const codec of client.options.loadedDataConverter.payloadCodecs)
    payloads = await codec.decode(payloads);
  return payloads[0] && defaultPayloadConverter.fromPayload(payloads[0]);
}
