// The developer, who pushes a commit, and the clinic, which submits a claim.
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkout, example } from '../stack/paths.ts';
import { describePods } from '../stack/pods.ts';
import { run } from '../stack/run.ts';
import { identity, repositoryUrl, withToken } from '../stack/seed.ts';
import { messageOf, until } from '../stack/until.ts';

const patch = join(checkout, 'examples/brainsait-rcm-change/0001-nphies-eligibility-date.patch');
const subject = 'feat: add NPHIES eligibility date validation';
const service = 'services/claims-scrubbing';

/** The commit that the platform began with. */
export const firstCommit = (): Promise<string> =>
  inClone((git) => git(['rev-list', '--max-parents=0', 'HEAD']));

/**
 * The change of the platform's own README. Where that was delivered before, another small one; where an earlier demo has
 * pushed one and was ended, that one.
 */
export const developersCommit = (isDelivered: (sha: string) => Promise<boolean>): Promise<string> =>
  inClone(async (git, folder) => {
    const latest = () => git(['log', '-1', '--format=%H', '--', service]);
    const pushed = await git(['log', '-1', '--format=%H', `--grep=^${subject}$`]);
    if (pushed !== '' && !(await isDelivered(await latest()))) return latest();
    if (pushed === '') {
      await git(['am', '--quiet', patch]);
    } else {
      appendFileSync(join(folder, service, 'CHANGES'), `${new Date().toISOString()} looked over the rules\n`);
      await git(['add', service]);
      await git(['commit', '--quiet', '--message', 'docs: note that the rules were looked over']);
    }
    await git(['push', '--quiet', 'origin', 'main']);
    return latest();
  });

export async function inClone<T>(
  work: (git: (args: string[]) => Promise<string>, folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-demo-'));
  const git = async (args: string[]): Promise<string> =>
    (await run('git', ['-C', folder, ...args], { env: { ...identity, ...withToken('developer') } })).trim();
  try {
    await git(['clone', '--quiet', repositoryUrl, '.']);
    return await work(git, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const productionClaims = 'http://10.87.0.1:30301';

/** Whether production takes a claim whose eligibility was confirmed two months before the service. */
export async function staleClaimIsAccepted(): Promise<boolean> {
  await untilReached(`${productionClaims}/readyz`);
  const claim = readFileSync(join(example, service, 'tests/claim.json'), 'utf8');
  const answer = await fetch(`${productionClaims}/Claim/$validate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: claim.replace('2025-09-14T08:40', '2025-07-14T08:40'),
    signal: AbortSignal.timeout(10_000),
  });
  return !(await answer.text()).includes('eligibility-date');
}

/** After a delivery: the node goes on sending to the pods of before for a moment. What has not changed by then, stays. */
export async function staleClaimIsStillAccepted(): Promise<boolean> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(500)) {
    if (!(await staleClaimIsAccepted())) return false;
  }
  return true;
}

/** The node learns of new pods a moment after Argo CD has seen them healthy. */
const untilReached = (url: string): Promise<void> =>
  until({
    failing: `production does not answer at ${url}`,
    missing: async () => {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(messageOf);
      if (typeof answer === 'string') return answer;
      return answer.ok ? undefined : `${answer.status} ${await answer.text()}`;
    },
    seconds: 30,
    explain: () => describePods('brainsait-production'),
  });
