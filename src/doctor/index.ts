import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import { SystemError } from '../systems/system-error.ts';
import { applications } from './applications.ts';
import { backups } from './backups.ts';
import { drift } from './drift.ts';
import { builder } from './builder.ts';
import { findingOf, type Check, type Finding } from './check.ts';
import { cluster } from './cluster.ts';
import { forge } from './forge.ts';
import { objects } from './objects.ts';
import { people } from './people.ts';
import { pullSecrets } from './pull-secrets.ts';
import { recreation } from './recreation.ts';
import { registry } from './registry.ts';
import { layout, repository } from './repository.ts';
import { sources } from './sources.ts';
import { sealingKeys } from './sealing-keys.ts';
import { temporal } from './temporal.ts';
import { createWorld, type World } from './world.ts';

export type { Finding } from './check.ts';

const checks: readonly Check[] = [
  temporal,
  repository,
  layout,
  sources,
  forge,
  people,
  registry,
  builder,
  objects,
  cluster,
  applications,
  drift,
  pullSecrets,
  backups,
  recreation,
  sealingKeys,
];

/** Several wait for a clone of the repository, which may be large. */
const timeLimitMs = 120_000;

/**
 * Compares the configuration with the world. The checks run side by side, and none hides what another finds.
 *
 * @param clones an empty folder
 * @param pending told what is still being looked at, whenever that changes
 */
export async function examine(
  config: Config,
  clones: string,
  pending: (names: string[]) => void,
): Promise<Finding[]> {
  const world = createWorld(config, clones);
  return examineAll(checks, world, timeLimitMs, pending);
}

export async function examineAll(
  all: readonly Check[],
  world: World,
  withinMs: number,
  pending: (names: string[]) => void,
): Promise<Finding[]> {
  const open = new Set(all.map(({ name }) => name));
  pending([...open]);
  const found = await Promise.all(
    all.map(async (check) => {
      const findings = await lookWithin(check, world, withinMs);
      open.delete(check.name);
      pending([...open]);
      return findings;
    }),
  );
  return found.flat();
}

async function lookWithin(check: Check, world: World, withinMs: number): Promise<Finding[]> {
  const found: Finding[] = [];
  const over = new AbortController();
  const tooLate = delay(withinMs, undefined, { signal: over.signal }).then(() => {
    throw new SystemError(`Gave no answer within ${withinMs / 1000} seconds.`, {
      advice: 'See whether it is overloaded, or behind a firewall.',
      unreachable: true,
    });
  });
  const look = async () => {
    for await (const finding of check.look(world)) found.push(finding);
  };
  try {
    await Promise.race([look(), tooLate]);
  } catch (error) {
    found.push(findingOf(check.name, error));
  } finally {
    over.abort();
    tooLate.catch(() => undefined);
  }
  return [...found];
}
