import { inspect } from 'node:util';
import { DefaultLogger } from '@temporalio/worker';

/** A line an entry, on stderr. What others wrote, as errors quote it, is escaped in it. */
export const createLog = (verbose: boolean): DefaultLogger =>
  new DefaultLogger(verbose ? 'DEBUG' : 'INFO', ({ level, message, timestampNanos, meta }) => {
    const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
    const facts =
      meta === undefined ? '' : ` ${inspect(meta, { compact: true, breakLength: Infinity, depth: 6 })}`;
    process.stderr.write(`${at} ${level} ${message}${facts}\n`);
  });
