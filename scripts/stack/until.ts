// Waiting for what another system has to bring about.
import { setTimeout as sleep } from 'node:timers/promises';

interface Wait {
  /** What did not come about: the beginning of the error. */
  failing: string;
  /** What stands against it yet, in the words of whoever is asked; undefined once it holds. */
  missing: () => Promise<string | undefined>;
  seconds: number;
  /** Milliseconds between two looks. */
  every?: number;
  /** What helps to find out why; asked only in the end. */
  explain?: () => Promise<string>;
}

/** @throws Error that says what was waited for, and what that said of itself in the end */
export async function until({ failing, missing, seconds, every = 200, explain }: Wait): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  for (let said = await missing(); said !== undefined; said = await missing()) {
    if (Date.now() > deadline) {
      const explanation = explain ? `\n${await explain()}` : '';
      throw new Error(`${failing} after ${seconds} s: ${said}${explanation}`);
    }
    await sleep(every);
  }
}

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // That of fetch only says that it failed.
  if (error.message === 'fetch failed') return messageOf(error.cause);
  return error.message || error.name;
}

/** For a question whose answer alone counts: undefined, or what its failure said. */
export const failureOf = (question: Promise<unknown>): Promise<string | undefined> =>
  question.then(() => undefined, messageOf);
