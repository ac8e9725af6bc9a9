import { z } from 'zod';
import { duration } from './duration.ts';

/** The section `worker`: how workers of this platform work. */
export const worker = z
  .strictObject({
    silence: z
      .strictObject({
        exchange: duration({ least: '2s', most: '5m' })
          .default('10s')
          .describe('Of short exchanges with Git, the forge, the object store.'),
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
  .describe('How workers work.');
