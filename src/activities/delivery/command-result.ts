import { failed } from '../failures.ts';
import type { OutputLog } from './output-log.ts';

type Result = { state: 'built' } | { state: 'ended'; exitCode: number } | { state: 'failed' | 'timed-out' };

/** @throws ApplicationFailure of the type, with the log's last lines */
export function assertSucceeded<T extends Result>(
  result: T,
  type: string,
  what: string,
  log: OutputLog,
): asserts result is Extract<T, { state: 'built' | 'ended' }> {
  if (result.state === 'built' || (result.state === 'ended' && result.exitCode === 0)) return;
  const how = result.state === 'timed-out' ? 'took too long' : 'failed';
  throw failed(type, `${what} ${how}. The whole log is ${log.key}; it ends:\n${log.lastLines()}`);
}
