import { setTimeout as sleep } from 'node:timers/promises';
import { enteredBy, type Delivery, type Step } from '../model/delivery/delivery.ts';
import type { Documents } from './documents.ts';

/** Whoever asks for a status waits no longer for what is only an addition to it. */
const withinMs = 5000;

/** More of the same helps nobody. */
const mostLogs = 3;

/** A status with the ends of the logs that its errors name; without them where the object store cannot be reached. */
export async function withLogEnds(delivery: Delivery, documents: Documents | undefined): Promise<Delivery> {
  if (!documents || delivery.state !== 'failed') return delivery;
  const read = async (step: Step): Promise<Step> => {
    if (step.state !== 'failed') return step;
    const keys = enteredBy(delivery, step)?.logs ?? (step.log === undefined ? [] : [step.log]);
    const [log] = keys;
    if (log === undefined) return step;
    const ends = await Promise.all(keys.slice(0, mostLogs).map((key) => endOf(documents, key)));
    const found = ends.flatMap((end, index) => {
      if (end === undefined || end === '') return [];
      return keys.length === 1 ? [end] : [`==> ${keys[index]} <==\n${end}`];
    });
    return { ...step, log, ...(found.length > 0 && { logEnd: found.join('\n') }) };
  };
  return { ...delivery, steps: await Promise.all(delivery.steps.map(read)) };
}

const endOf = (documents: Documents, key: string): Promise<string | undefined> =>
  Promise.race([documents.logEnd(key).catch(() => undefined), sleep(withinMs, undefined, { ref: false })]);
