import { dim, red } from 'yoctocolors';
import type { Drift } from '../model/promotion/drift.ts';
import { durationBetween, harmless, wrap } from './text.ts';

/** What is not as it was promoted, and what to do about it. */
export function drawDrift({ what, since, remedy }: Drift, now: number, width: number, where = ''): string[] {
  const lasted = since === undefined ? '' : `For ${durationBetween(since, undefined, now)}: `;
  const room = Math.max(20, width - 4);
  const [first = '', ...more] = wrap(harmless(`${where}${lasted}${what}`), room);
  return [
    `  ${red('!')} ${first}`,
    ...more.map((line) => `    ${line}`),
    ...wrap(`→ ${remedy}`, room).map((line) => dim(`    ${line}`)),
  ];
}
