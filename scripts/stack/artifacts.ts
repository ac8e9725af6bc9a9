// What takes long to make is made once, into the cache, under a key of everything that determines it.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LimitFunction } from 'p-limit';
import { turnOf } from './build-order.ts';
import { cache } from './paths.ts';
import { elapsed, say, sayLive } from './progress.ts';
import { messageOf } from './until.ts';

export interface Recipe {
  name: string;
  /** About how long it takes on two cores; only the progress display rests on it. */
  seconds: number;
  /** Everything that determines the result, besides `needs` and the processor's architecture. */
  inputs: readonly string[];
  /** What must be made first. */
  needs: readonly Recipe[];
  /** Bounds how many of its kind are made at once. */
  lane: LimitFunction;
  /** Fill an empty folder. */
  build: (directory: string, report: (detail: string) => void) => Promise<void>;
}

const unfinishedPrefix = 'unfinished-';
const making = new Map<string, Promise<string>>();
const plan = { total: 0, done: 0 };

/** The folder of what the recipe makes; made when the cache does not have it. Nothing half-made is ever there. */
export function make(recipe: Recipe): Promise<string> {
  const path = pathOf(recipe);
  const result =
    making.get(path) ?? turnOf(recipe.name).then(() => (existsSync(path) ? path : makeNow(recipe, path)));
  making.set(path, result);
  return result;
}

async function makeNow(recipe: Recipe, path: string): Promise<string> {
  plan.total += recipe.seconds;
  await Promise.all(recipe.needs.map(make));
  return recipe.lane(async () => {
    mkdirSync(cache, { recursive: true });
    const unfinished = mkdtempSync(join(cache, unfinishedPrefix));
    const since = Date.now();
    say(`${percentage()} building ${recipe.name}${usually(recipe)}`);
    try {
      await recipe.build(unfinished, (detail) =>
        sayLive(`${percentage()} building ${recipe.name} (${elapsed(since)}) ${detail}`),
      );
      renameSync(unfinished, path);
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      throw new Error(`cannot build ${recipe.name}: ${messageOf(error)}`, { cause: error });
    }
    plan.done += recipe.seconds;
    say(`${percentage()} built ${recipe.name} in ${elapsed(since)}`);
    return path;
  });
}

export function pathOf(recipe: Recipe): string {
  const hash = createHash('sha256');
  for (const input of [process.arch, ...recipe.inputs, ...recipe.needs.map(pathOf)]) {
    hash.update(`${input.length}:${input}`);
  }
  return join(cache, `${recipe.name}-${hash.digest('hex').slice(0, 16)}`);
}

export function isMade(recipe: Recipe): boolean {
  return existsSync(pathOf(recipe));
}

/** Remove what killed builds left; to be called under the stack's lock, so that none is under way. */
export function removeUnfinished(): void {
  if (!existsSync(cache)) return;
  for (const entry of readdirSync(cache)) {
    if (entry.startsWith(unfinishedPrefix)) rmSync(join(cache, entry), { recursive: true, force: true });
  }
}

const percentage = (): string => `${String(Math.floor((100 * plan.done) / plan.total)).padStart(3)} %`;

const usually = (recipe: Recipe): string =>
  recipe.seconds >= 60 ? ` (about ${Math.round(recipe.seconds / 60)} min on two cores)` : '';
