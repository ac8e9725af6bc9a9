/** What was seen in some rounds. */
export interface Range {
  median: number;
  min: number;
  max: number;
}

/** What a figure must keep to. */
export interface Bar {
  atLeast?: number;
  atMost?: number;
}

export type Judged = Range & Bar & { met: boolean };

export interface Report {
  /** Everything that was measured, each with its unit. */
  sides: Record<string, Range & { unit: string; samples: number[] }>;
  /** One side over another, round by round. */
  ratios: Record<string, Range | Judged>;
  /** What is asked of figures that are no ratio. */
  bounds?: Record<string, Judged & { unit: string }>;
  /** What a reader of the figures must know. */
  notes?: string[];
}

/** What can be asked of a bench on the command line. */
export interface Parameters {
  rounds?: number | undefined;
  writers?: number[] | undefined;
  services?: number[] | undefined;
}

/** Measures all sides in every round, one after the other: what disturbs the machine disturbs them alike. */
export async function interleaved<Name extends string>(
  rounds: number,
  sides: Record<Name, () => Promise<number>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(sides) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = 0; round < rounds; round += 1) {
    // Each comes first in turn, since the first of a round may find the machine colder than the others.
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      samples[name].push(await sides[name]());
    }
  }
  return samples;
}

/** @returns milliseconds */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function rangeOf(samples: readonly number[]): Range {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1];
  const high = sorted[Math.floor(middle)];
  if (low === undefined || high === undefined) throw new Error('Nothing was measured.');
  return { median: (low + high) / 2, min: sorted[0] ?? low, max: sorted.at(-1) ?? high };
}

export const side = (unit: string, samples: number[]): Report['sides'][string] => ({
  unit,
  ...rangeOf(samples),
  samples,
});

/** A side that takes too long to be measured again and again was measured once, and holds against every round. */
function perRound(
  of: readonly number[],
  against: readonly number[],
  compare: (of: number, against: number) => number,
): number[] {
  const rounds = Math.max(of.length, against.length);
  if ([of, against].some(({ length }) => length !== rounds && length !== 1)) {
    throw new Error(`${of.length} rounds of one side cannot be held against ${against.length} of the other.`);
  }
  const at = (samples: readonly number[], round: number) => samples[round] ?? samples[0] ?? NaN;
  return Array.from({ length: rounds }, (_, round) => compare(at(of, round), at(against, round)));
}

export const over = (of: readonly number[], against: readonly number[]): number[] =>
  perRound(of, against, (one, other) => one / other);

export const above = (of: readonly number[], against: readonly number[]): number[] =>
  perRound(of, against, (one, other) => one - other);

/** The median has to keep to the bar. */
export function judged(samples: readonly number[], bar: Bar): Judged {
  const range = rangeOf(samples);
  const { atLeast = -Infinity, atMost = Infinity } = bar;
  return { ...range, ...bar, met: range.median >= atLeast && range.median <= atMost };
}

export const allMet = ({ ratios, bounds = {} }: Report): boolean =>
  [...Object.values(ratios), ...Object.values(bounds)].every((figure) => !('met' in figure) || figure.met);
