import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Delivery } from '../src/client.ts';
import { startOutside, type Outside } from './support/outside.ts';
import { makePlatform, type Platform } from './support/platform.ts';

/** What can cross a delivery, on a whole platform: each test has a service of its own on it. */
let platform: Platform;
let outside: Outside;

/** All of it shares two cores. */
const patience = 240_000;
/** Several deliveries at a time share the machine; what is stuck is told by the patience of its waits, before this. */
const long = { timeout: 600_000 };
/** Twenty deliveries at once share the two slots for tests and builds, so all of them take as long as ten in a row. */
const crowd = { patience: 2 * patience, timeout: 900_000 };

beforeAll(async () => {
  outside = await startOutside();
  const requestTo = (path: string) => ['sh', '-c', `curl --fail --silent --show-error ${outside.url}${path}`];
  const changes = {
    services: { discover: ['services/*'], test: requestTo('/test/$(basename "$PWD")') },
    endToEnd: requestTo('/end-to-end'),
  };
  const services = ['steps', 'left', 'right', 'many', 'hands', 'merged', 'sick', 'late', 'gone'];
  platform = await makePlatform(services, changes, patience);
  await Promise.all([platform.worker.start(), platform.server.start()]);
}, 240_000);

afterAll(async () => {
  await platform.remove();
  outside.close();
}, 60_000);

const shows = (delivery: Delivery, name: string) => delivery.steps.find((step) => step.name === name);
/** What went wrong stands in the log, which says what the world outside answered. */
const says = (error: RegExp) => ({
  error: expect.stringMatching(error) as unknown,
  logEnd: expect.stringContaining('503') as unknown,
});
const failedIn = (change: string, name: string) =>
  platform.sees(change, { state: 'failed', steps: expect.arrayContaining([step(name, 'failed')]) });
const step = (name: string, state: string) => expect.objectContaining({ name, state }) as unknown;
const waits = (change: string, environment: string) =>
  platform.sees(change, { environments: { [environment]: { state: 'waiting' } } });
/** Others commit at the same time. */
const touch = (service: string) => platform.gitea.write({ [`services/${service}/touched.txt`]: 'x' });
const deliver = async (service: string, commit: string) =>
  (await platform.gitops.deliver({ service, commit })).change;

describe('a step', () => {
  let change: string;

  beforeAll(async () => {
    // Its build fetches something, as builds do.
    const dockerfile = `FROM debian:bookworm-slim\nADD ${outside.url}/build /fetched\nCMD ["sleep", "infinity"]\n`;
    const commit = await platform.gitea.write({ 'services/steps/Dockerfile': dockerfile });
    change = `steps/${commit}`;
  });

  test('that fails says why, and is done again by a retry; what was finished is not', long, async () => {
    outside.is('/test/steps', 'failing');
    await deliver('steps', change.slice('steps/'.length));
    expect(shows(await failedIn(change, 'test'), 'test')).toMatchObject(
      says(/^The tests of steps\/.* failed\. The log: logs\/.*\.log$/),
    );

    outside.is('/test/steps', 'working');
    outside.is('/build', 'failing');
    await platform.gitops.retry(change);
    expect(shows(await failedIn(change, 'build'), 'build')).toMatchObject(
      says(/^The image of steps\/.* failed\. The log: logs\/.*\.log$/),
    );
    expect((await platform.gitops.status(change)).environments['dev']).toEqual({ state: 'pending' });

    outside.is('/build', 'working');
    outside.is('/end-to-end', 'failing');
    await platform.gitops.retry(change);
    await platform.review(change, 'staging');
    expect(shows(await failedIn(change, 'staging'), 'staging')).toMatchObject(
      says(/^The end-to-end test in staging failed\. The log: logs\/.*\.log$/),
    );

    outside.is('/end-to-end', 'working');
    await platform.gitops.retry(change);
    await waits(change, 'production');
    expect(await platform.pullRequests('steps', 'staging')).toHaveLength(1);
    expect(await platform.releaseCommits('steps', 'dev')).toHaveLength(1);
  });

  test('that is under way ends with a cancel, and its command with it', long, async () => {
    await platform.gitops.cancel(change);
    await platform.sees(change, { state: 'failed', reason: 'The delivery was cancelled.' });
    const [number = 0] = await platform.pullRequests('steps', 'production');
    expect(await platform.gitea.forge.pullRequest(number)).toMatchObject({ state: 'closed' });

    for (const [path, name] of [
      ['/test/steps', 'test'],
      ['/end-to-end', 'staging'],
    ] as const) {
      outside.is(path, 'silent');
      await platform.gitops.retry(change);
      await outside.isWaitedFor(path);
      await platform.gitops.cancel(change);
      await outside.isLeftAlone(path);
      outside.is(path, 'working');
      expect(shows(await failedIn(change, name), name)?.error).toBe('The delivery was cancelled.');
    }

    const other = await touch('steps');
    outside.is('/build', 'silent');
    const next = await deliver('steps', other);
    await outside.isWaitedFor('/build');
    await platform.gitops.cancel(next);
    await outside.isLeftAlone('/build');
    outside.is('/build', 'working');
    expect(shows(await failedIn(next, 'build'), 'build')?.error).toBe('The delivery was cancelled.');
    expect(await platform.releaseCommits('steps', 'dev')).toHaveLength(1);
  });
});

describe.concurrent('on its way', () => {
  test(
    'a commit of several services is one delivery for each, and none waits for another',
    long,
    async () => {
      const commit = await platform.gitea.write({
        'services/left/change.txt': 'both',
        'services/right/change.txt': 'both',
      });
      const since = (await platform.gitea.api('GET', `/git/commits/${commit}`)) as {
        parents: { sha: string }[];
      };
      const started = await platform.gitops.deliverChangedSince({
        since: since.parents[0]?.sha ?? '',
        until: commit,
      });
      const changes = [`left/${commit}`, `right/${commit}`];
      expect(started.map(({ change }) => change).toSorted()).toEqual(changes);
      await Promise.all(changes.map((change) => platform.carry(change)));
    },
  );

  test(
    'of 20 commits that come at once the newest arrives, and the others say what goes instead',
    { timeout: crowd.timeout },
    async () => {
      const commits: string[] = [];
      for (let count = 1; count <= 20; count += 1) {
        commits.push(await platform.gitea.write({ [`services/many/${count}.txt`]: 'x' }));
      }
      const changes = await Promise.all(commits.map((commit) => deliver('many', commit)));
      const newest = changes.at(-1) ?? '';
      const others = changes.slice(0, -1);

      // One of them may have been quick enough to ask people; the newest waits behind it.
      const asked = await vi.waitFor(
        async () => {
          const seen = await Promise.all(others.map((change) => platform.gitops.status(change)));
          const open = seen.filter(({ state }) => state !== 'superseded');
          expect(open.map(({ state }) => state)).toEqual(open.length === 0 ? [] : ['waiting']);
          for (const { state, reason } of seen)
            if (state === 'superseded') expect(reason).toMatch(/^many\/.*newer/);
          return open;
        },
        { timeout: crowd.patience, interval: 1000 },
      );
      for (const { change } of asked) {
        await platform.sees(newest, { waitingFor: `${change}, which is under way in staging` });
        await platform.review(change, 'staging', 'REQUEST_CHANGES');
        await platform.sees(change, { state: 'rejected' });
      }

      await platform.carry(newest);
      for (const environment of ['dev', 'staging', 'production']) {
        expect(await platform.running('many', environment)).toEqual([
          expect.stringContaining(`:${commits.at(-1)}@`),
        ]);
      }
      expect(await platform.releaseCommits('many', 'production')).toHaveLength(1);
    },
  );

  test(
    'a pull request that somebody closed, pushed to, retargeted or took the branch of is not merged, and the change may be delivered again',
    long,
    async () => {
      const { gitea, gitops } = platform;
      const change = await deliver('hands', await touch('hands'));
      await gitea.commit('elsewhere', 'elsewhere.txt', 'x');
      const branchOf = async (number: number) => (await gitea.forge.pullRequest(number)).head.branch;
      const meddlings: [(number: number) => Promise<unknown>, { state: string; reason: RegExp }][] = [
        [
          (number) => gitea.api('PATCH', `/pulls/${number}`, { state: 'closed' }),
          { state: 'rejected', reason: /^Somebody closed pull request #\d+/ },
        ],
        [
          async (number) => gitea.commit(await branchOf(number), 'sneaked.txt', 'x', 'existing'),
          {
            state: 'failed',
            reason: /^Somebody changed pull request #\d+ \(its head is .*Deliver the change again/,
          },
        ],
        [
          (number) => gitea.api('PATCH', `/pulls/${number}`, { base: 'elsewhere' }),
          { state: 'failed', reason: /^Somebody changed pull request #\d+ \(it goes to elsewhere.*Deliver/ },
        ],
        [
          async (number) => gitea.api('DELETE', `/branches/${encodeURIComponent(await branchOf(number))}`),
          {
            state: 'rejected',
            reason: /or deleted its branch. To propose the change again, deliver it again/,
          },
        ],
      ];
      for (const [meddle, { state, reason }] of meddlings) {
        const { environments } = await waits(change, 'staging');
        await meddle(environments['staging']?.pullRequest?.number ?? 0);
        await platform.sees(change, { state, reason: expect.stringMatching(reason) as unknown });
        await gitops.retry(change);
      }
      await platform.review(change, 'staging');
      await waits(change, 'production');
      expect(await platform.pullRequests('hands', 'staging')).toHaveLength(5);
      expect(await platform.releaseCommits('hands', 'staging')).toHaveLength(1);
    },
  );

  test(
    'a pull request that somebody merged counts as reviewed by nobody, and is not synced without its quorum',
    long,
    async () => {
      const { gitea, gitops } = platform;
      const change = await deliver('merged', await touch('merged'));
      const merge = async (environment: string) => {
        const { pullRequest } = (await waits(change, environment)).environments[environment] ?? {};
        await gitea.merge(pullRequest?.number ?? NaN);
      };
      await merge('staging');
      const { reason } = await failedIn(change, 'staging');
      expect(reason).toMatch(/merged #\d+ without a review.*Revert that merge and deliver the change again/);

      const release = 'deploy/merged/overlays/staging/release';
      await gitea.write({
        [`${release}/kustomization.yaml`]: null,
        [`${release}/base/kustomization.yaml`]: null,
        [`${release}/base/deployment.yaml`]: null,
      });
      await gitops.retry(change);
      await platform.review(change, 'staging');
      await merge('production');
      await gitops.decide({ change, environment: 'production', verdict: 'approve', by: 'board-1' });
      await platform.sees(change, { waitingFor: '1 of 2 approvals' });
      expect(await platform.running('merged', 'production')).toEqual([]);
      await gitops.decide({ change, environment: 'production', verdict: 'approve', by: 'board-2' });
      await platform.sees(change, { state: 'succeeded' });
      expect(await platform.running('merged', 'production')).toHaveLength(1);
    },
  );

  test('a newer commit does not wait for a pod that never gets ready', long, async () => {
    const file = 'deploy/sick/base/deployment.yaml';
    const good = await fileAt(file);
    const probe = '          readinessProbe: { exec: { command: ["false"] } }\n';
    const bad = good.replace(/(\n +image: [^\n]*\n)/, `$1${probe}`);
    const sick = await deliver('sick', await platform.gitea.write({ [file]: bad }));
    await platform.sees(sick, {
      environments: { dev: { state: 'running', revision: expect.any(String) as unknown } },
    });
    const fix = await deliver('sick', await platform.gitea.write({ [file]: good }));
    expect((await platform.sees(sick, { state: 'superseded' })).reason).toBe(
      `${fix} is newer and did not wait for this one's health.`,
    );
    await platform.sees(fix, { environments: { dev: { state: 'succeeded', health: 'Healthy' } } });
  });

  test(
    'a pod that never gets ready fails the change with what it lacks, and a retry finds it healed',
    long,
    async () => {
      const file = 'deploy/late/base/deployment.yaml';
      const wants = '          envFrom: [{ configMapRef: { name: late } }]\n';
      const commit = await platform.gitea.write({
        [file]: (await fileAt(file))
          .replace(/(\n +image: [^\n]*\n)/, `$1${wants}`)
          .replace(/progressDeadlineSeconds: \d+/, 'progressDeadlineSeconds: 10'),
      });
      const change = await deliver('late', commit);
      expect((await failedIn(change, 'dev')).reason).toMatch(
        /progress deadline[^]*configmap "late" not found/,
      );

      const namespace = `${platform.name}-dev`;
      await platform.kubectl(['create', 'configmap', 'late', '--namespace', namespace, '--from-literal=a=b']);
      await platform.gitops.retry(change);
      await platform.sees(change, { environments: { dev: { state: 'succeeded', health: 'Healthy' } } });
      expect(await platform.releaseCommits('late', 'dev')).toHaveLength(1);
    },
  );
});

// Last, since it takes back what others have written.
test(
  'what somebody takes off the protected branch goes no further, and what comes instead is not held for older',
  long,
  async () => {
    const { gitea, gitops } = platform;
    const before = await gitea.write({ 'services/gone/first.txt': 'x' });
    const dropped = await deliver('gone', await gitea.write({ 'services/gone/secret.txt': 'x' }));
    await waits(dropped, 'staging');
    await gitea.rewrite(before);

    await platform.review(dropped, 'staging');
    expect((await failedIn(dropped, 'staging')).reason).toMatch(/is not on the protected branch any more/);
    await gitops.retry(dropped);
    expect((await failedIn(dropped, 'verify')).reason).toMatch(/is not on main\. Merge it first/);

    const instead = await deliver('gone', before);
    await waits(instead, 'staging');
    expect(await platform.running('gone', 'dev')).toEqual([expect.stringContaining(`:${before}@`)]);
  },
);

async function fileAt(path: string): Promise<string> {
  const { content } = (await platform.gitea.api('GET', `/contents/${path}`)) as { content: string };
  return Buffer.from(content, 'base64').toString();
}
