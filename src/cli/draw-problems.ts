import { dim, red } from 'yoctocolors';
import type { Problem } from '../client.ts';
import { durationBetween, harmless, wrap } from './text.ts';

/** What stands still, and what to do about it; nothing where all is well. */
export function drawProblems(problems: readonly Problem[], now: number, width: number): string[] {
  return problems.flatMap(({ since, message, runbook }) => {
    const lasted = since === undefined ? '' : `For ${durationBetween(since, undefined, now)}: `;
    const [first = '', ...more] = wrap(harmless(lasted + message), Math.max(20, width - 4));
    return [`  ${red('!')} ${first}`, ...more.map((line) => `    ${line}`), dim(`    → ${runbook}`)];
  });
}
