// The reviewer and the Change Board, who look at whatever a delivery waits for.
import { setTimeout as sleep } from 'node:timers/promises';
import { GitopsError, type Delivery, type GitopsClient, type PromotionView } from '../../src/client.ts';
import { forgeApi } from '../stack/forge-api.ts';
import { repository } from '../stack/seed.ts';
import { storedSecret } from '../stack/secrets.ts';

const board = ['board-1', 'board-2'];

/** Reviews and approves what a change waits for, until told to end. */
export function actAsPeople(gitops: GitopsClient, change: string): { end(): Promise<void> } {
  const stop = new AbortController();
  const acted = new Set<string>();

  async function act(delivery: Delivery): Promise<void> {
    for (const [environment, view] of Object.entries(delivery.environments)) {
      if (view.state !== 'waiting') continue;
      const subject = `${environment} ${view.pullRequest?.head} ${view.manifestsDigest}`;
      if (acted.has(subject)) continue;
      if (view.manifestsDigest !== undefined) await decide(gitops, change, environment, view);
      else if (view.pullRequest) await review(view.pullRequest);
      else continue;
      acted.add(subject);
    }
  }

  const acting = (async () => {
    while (!stop.signal.aborted) {
      const delivery = await gitops.status(change).catch(() => undefined);
      if (delivery) await act(delivery);
      await sleep(500, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return {
    async end() {
      stop.abort();
      await acting;
    },
  };
}

async function review({ number, head }: NonNullable<PromotionView['pullRequest']>): Promise<void> {
  const reviewer = forgeApi(`token ${storedSecret('forge-reviewer.token') ?? ''}`);
  await reviewer.call('POST', `/repos/${repository}/pulls/${number}/reviews`, {
    event: 'APPROVED',
    body: 'Looked at the release and its changelog.',
    commit_id: head,
  });
}

async function decide(
  gitops: GitopsClient,
  change: string,
  environment: string,
  { manifestsDigest = '' }: PromotionView,
): Promise<void> {
  for (const by of board) {
    try {
      await gitops.decide({ change, environment, verdict: 'approve', by, manifestsDigest });
    } catch (error) {
      // An earlier demo, ended in the middle, may have decided already.
      if (!(error instanceof GitopsError && error.kind === 'refused')) throw error;
    }
  }
}
