import { z } from 'zod';
import { duration } from './duration.ts';

const slots = z.int().min(1).max(10_000);

/** The section `worker`. */
export const worker = z
  .strictObject({
    slots: z
      .strictObject({
        build: slots
          .optional()
          .describe('Tests and image builds. Default: as many as the machine has cores.'),
        delivery: slots.default(100).describe('Short exchanges with Git, the forge and the object store.'),
        production: slots.default(100).describe('The same, of environments with sync: manual.'),
        recovery: slots
          .default(4)
          .describe("Backups that are read back; each is a disk's and a network's work."),
        wait: slots.default(2000).describe('Waits on Argo CD.'),
      })
      .prefault({})
      .describe('How much a worker does at a time, queue by queue.'),
    cachedWorkflows: z
      .int()
      .min(2)
      .optional()
      .describe('How many workflows it keeps in memory. Default: as many as its heap holds.'),
    silence: z
      .strictObject({
        exchange: duration({ least: '2s', most: '5m' })
          .default('10s')
          .describe(
            'Of short exchanges with Git, the forge, the object store; and, up to 10s, of a worker that has a workflow in memory.',
          ),
        work: duration({ least: '2s', most: '5m' })
          .default('25s')
          .describe('Of waits, tests, builds, backups and recreations.'),
      })
      .prefault({})
      .describe(
        'After how long without a heartbeat an attempt counts as dead with its worker, and is made again.',
      ),
  })
  .prefault({})
  .describe('What a worker process takes upon itself, and when it counts as dead.');
