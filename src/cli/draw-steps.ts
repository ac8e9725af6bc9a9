import { cyan, dim, green, red, yellow } from 'yoctocolors';
import type { Step } from '../model/delivery/delivery.ts';
import { marks } from '../model/text/marks.ts';
import { durationBetween } from './text.ts';

const paints: Record<Step['state'], (text: string) => string> = {
  pending: dim,
  running: cyan,
  waiting: yellow,
  succeeded: green,
  failed: red,
  rejected: red,
  superseded: dim,
};

export const painted = (state: Step['state'], text = `${marks[state]} ${state}`): string =>
  paints[state](text);

interface Drawn {
  name: string;
  state: Step['state'];
  startedAt?: string;
  finishedAt?: string;
}

/**
 * A line a step, with its duration; what there is to say of it stands beside and below.
 *
 * @param now milliseconds since the epoch: running steps are measured against it
 * @param width of the terminal, in columns
 * @param notes in lines of at most the width that they are given
 */
export function drawSteps<T extends Drawn>(
  steps: readonly T[],
  now: number,
  width: number,
  notes: (step: T, width: number) => string[],
): string[] {
  const nameWidth = Math.max(0, ...steps.map(({ name }) => name.length)) + 2;
  const indent = 4 + nameWidth + 9;
  return steps.flatMap((step) => {
    const { name, state, startedAt, finishedAt } = step;
    const took = startedAt === undefined ? '' : durationBetween(startedAt, finishedAt, now);
    const [first, ...more] = notes(step, Math.max(20, width - indent));
    const named = `  ${painted(state, marks[state])} ${painted(state, name)}`;
    const head = took === '' ? named : named + dim(took.padStart(nameWidth - name.length + 7));
    return [
      first === undefined ? head : `${head}  ${first}`,
      ...more.map((line) => ' '.repeat(indent) + line),
    ];
  });
}
