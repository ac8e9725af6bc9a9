import { failed } from '../failures.ts';
import type { ClosedLog } from './output-log.ts';

export type CommandResult =
  { state: 'built' } | { state: 'ended'; exitCode: number } | { state: 'failed' | 'timed-out' };

/** @throws ApplicationFailure of the type, with the key of the log: what is in it belongs into no history */
export function assertSucceeded<T extends CommandResult>(
  result: T,
  type: string,
  what: string,
  { key, lost }: ClosedLog,
): asserts result is Extract<T, { state: 'built' | 'ended' }> {
  if (result.state === 'built' || (result.state === 'ended' && result.exitCode === 0)) return;
  const how = result.state === 'timed-out' ? 'took too long' : 'failed';
  if (lost === undefined) throw failed(type, `${what} ${how}. The log: ${key}`, key);
  throw failed(type, `${what} ${how}. The log could not be stored as ${key}: ${lost}`);
}
