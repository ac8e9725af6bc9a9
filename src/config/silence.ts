import type { Silence } from '../model/temporal/silence.ts';
import { milliseconds } from './duration.ts';
import type { Config } from './schema.ts';

/** After how long without a heartbeat an attempt counts as dead. */
export const silenceOf = ({ worker }: Pick<Config, 'worker'>): Silence => ({
  exchangeMs: milliseconds(worker.silence.exchange),
  workMs: milliseconds(worker.silence.work),
});
