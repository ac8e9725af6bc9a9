import { z } from 'zod';

/**
 * After how many milliseconds without a heartbeat an attempt counts as dead with its worker, and the next one begins. Each
 * heartbeat is billed, so what runs for minutes may be silent for longer than a short exchange.
 */
export interface Silence {
  /** Of exchanges with the forge, Git, the object store: most of them end before they would have to say anything. */
  exchangeMs: number;
  /** Of waits, builds, tests, backups, and the phases of a recreation. */
  workMs: number;
}

/** A killed wait goes on within 30 s: 25 of silence, and the pause before the next attempt. */
export const usualSilence: Silence = { exchangeMs: 10_000, workMs: 25_000 };

export const silenceSchema: z.ZodType<Silence> = z.looseObject({
  exchangeMs: z.int().min(1000),
  workMs: z.int().min(1000),
});
