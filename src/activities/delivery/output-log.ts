import { stripVTControlCharacters } from 'node:util';
import { activityInfo } from '@temporalio/activity';
import type { Change } from '../../model/delivery/change.ts';
import { objectKeys } from '../../model/object-keys.ts';
import type { ObjectStore } from '../../systems/objects/index.ts';

/** A runaway command must not fill memory: of more than this, the middle is left out. */
const mostHead = 2 * 1024 * 1024;
const mostTail = 8 * 1024 * 1024;

/** Often enough to read along, seldom enough to cost nothing. */
const everyMs = 10_000;

/** A command's output, which people can read in the object store while it runs and after. */
export class OutputLog {
  readonly key: string;
  readonly #objects: ObjectStore;
  readonly #timer: NodeJS.Timeout;
  #head = '';
  #tail = '';
  #left = 0;
  #stored: Promise<unknown> = Promise.resolve();

  constructor(objects: ObjectStore, key: string) {
    this.key = key;
    this.#objects = objects;
    this.#timer = setInterval(() => {
      // A missed part is in the next one; the last write is the one that counts, and it throws.
      this.#stored = this.#stored.then(() => this.#store()).catch(() => undefined);
    }, everyMs);
  }

  readonly write = (text: string): void => {
    if (this.#head.length < mostHead) this.#head += text;
    else this.#tail += text;
    if (this.#tail.length <= 2 * mostTail) return;
    this.#left += this.#tail.length - mostTail;
    this.#tail = this.#tail.slice(-mostTail);
  };

  /** The last lines, as an error shows them: at most 20, without colours. */
  lastLines(): string {
    const text = stripVTControlCharacters(this.#tail.length > 4000 ? this.#tail : this.#head + this.#tail);
    return text.trimEnd().split('\n').slice(-20).join('\n').slice(-4000);
  }

  /** Stores the whole of it. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#stored;
    await this.#store();
  }

  async #store(): Promise<void> {
    const gap = this.#left === 0 ? '' : `\n… ${this.#left} characters left out …\n`;
    await this.#objects.put(this.key, this.#head + gap + this.#tail);
  }
}

/** Gives some work a log of its attempt's own. */
export async function withOutputLog<T>(
  objects: ObjectStore,
  change: Change,
  step: string,
  work: (log: OutputLog) => Promise<T>,
): Promise<T> {
  const { attempt, workflowExecution } = activityInfo();
  const run = `${workflowExecution?.runId.slice(0, 8) ?? 'alone'}-${attempt}`;
  const log = new OutputLog(objects, objectKeys.log(change, step, run));
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}
