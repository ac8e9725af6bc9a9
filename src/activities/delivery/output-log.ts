import type { Change } from '../../model/delivery/change.ts';
import { objectKeys } from '../../model/object-keys.ts';
import { errorText } from '../../systems/system-error.ts';
import { ownAttempt } from '../own-attempt.ts';
import type { ObjectStore } from '../../systems/objects/index.ts';

/** A runaway command must not fill memory: of more than this, the middle is left out. */
const mostHead = 2 * 1024 * 1024;
const mostTail = 8 * 1024 * 1024;

/** Often enough to read along (`gitops logs --follow`), seldom enough to cost nothing. */
const everyMs = 5000;

/** Where a command's output is, or why it is nowhere. */
export interface ClosedLog {
  key: string;
  lost?: string;
}

/** A command's output, which people can read in the object store while it runs and after. */
class OutputLog {
  readonly #key: string;
  readonly #objects: ObjectStore;
  readonly #timer: NodeJS.Timeout;
  #head = '';
  #tail = '';
  #left = 0;
  #isStored = false;
  #stored: Promise<unknown> = Promise.resolve();

  constructor(objects: ObjectStore, key: string) {
    this.#key = key;
    this.#objects = objects;
    this.#timer = setInterval(() => {
      // A missed part is in the next one; the last write is the one that counts.
      this.#stored = this.#stored.then(() => this.#store()).catch(() => undefined);
    }, everyMs);
  }

  readonly write = (text: string): void => {
    this.#isStored = false;
    if (this.#head.length < mostHead) this.#head += text;
    else this.#tail += text;
    if (this.#tail.length <= 2 * mostTail) return;
    this.#left += this.#tail.length - mostTail;
    this.#tail = this.#tail.slice(-mostTail);
  };

  /**
   * Stores the whole of it. Never throws: what was tested or built is known, and would be no other if it were done again
   * for hours, until the object store is back. The store's own client sits out short disturbances.
   */
  async close(): Promise<ClosedLog> {
    clearInterval(this.#timer);
    await this.#stored;
    try {
      await this.#store();
      return { key: this.#key };
    } catch (error) {
      return { key: this.#key, lost: errorText(error) };
    }
  }

  async #store(): Promise<void> {
    if (this.#isStored) return;
    const gap = this.#left === 0 ? '' : `\n… ${this.#left} characters left out …\n`;
    this.#isStored = true;
    try {
      await this.#objects.put(this.#key, this.#head + gap + this.#tail);
    } catch (error) {
      this.#isStored = false;
      throw error;
    }
  }
}

/** Gives some work a log of its attempt's own. */
export async function withOutputLog<T>(
  objects: ObjectStore,
  change: Change,
  step: string,
  work: (onOutput: (text: string) => void) => Promise<T>,
): Promise<{ result: T; log: ClosedLog }> {
  const output = new OutputLog(objects, objectKeys.log(change, step, ownAttempt()));
  const [done] = await Promise.allSettled([work(output.write)]);
  const log = await output.close();
  if (done.status === 'rejected') throw done.reason;
  return { result: done.value, log };
}

export const logOf = ({ key, lost }: ClosedLog): { log?: string } => (lost === undefined ? { log: key } : {});
