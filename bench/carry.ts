import { setTimeout as delay } from 'node:timers/promises';
import type { Delivery, GitopsClient } from '../src/client.ts';

/** Everything before that takes seconds, or a minute where the tests do. */
const patienceMs = 5 * 60_000;

interface People {
  review(pullRequest: { number: number; head: string }): Promise<void>;
  /** While the board is asked. */
  think?(): Promise<void>;
}

/** Does what people do for a change on its way through staging (a review) and production (two decisions). */
export async function carry(gitops: GitopsClient, change: string, people: People): Promise<void> {
  const { pullRequest } = await waits(gitops, change, 'staging');
  if (!pullRequest) throw new Error(`${change} has no pull request in staging.`);
  await people.review(pullRequest);
  await waits(gitops, change, 'production');
  await people.think?.();
  for (const by of ['board-1', 'board-2']) {
    await gitops.decide({ change, environment: 'production', verdict: 'approve', by });
  }
}

type Entered = NonNullable<Delivery['environments'][string]>;

async function waits(gitops: GitopsClient, change: string, environment: string): Promise<Entered> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const { state, reason, environments } = await gitops.status(change);
    const entered = environments[environment];
    if (entered?.state === 'waiting') return entered;
    if (state === 'failed') throw new Error(`${change} failed: ${reason}`);
    if (Date.now() > end) throw new Error(`${change} does not come to ${environment}.`);
    await delay(200);
  }
}
