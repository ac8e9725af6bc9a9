import { execa } from 'execa';
import { releaseKustomization } from '../src/model/promotion/release.ts';
import type { ReleaseWrite, Repository } from '../src/systems/git/index.ts';
import { comparator } from './comparator.ts';
import { interleaved, judged, over, rangeOf, side, timed, type Parameters, type Report } from './harness.ts';
import { makeMonorepo, type Monorepo } from './monorepo.ts';

const unit = 'commits/s';

/** So long the comparators may take; what has landed by then counts. */
const patienceSeconds = 120;

/**
 * Many services released at the same time into one repository of the forge: commits a second that landed. Each
 * measurement has a fresh repository; a comparator takes minutes, and is measured once.
 */
export async function run({ rounds = 5, writers = [100, 500] }: Parameters = {}): Promise<Report> {
  const ours = await interleaved(
    rounds,
    Object.fromEntries(writers.map((count) => [count, () => inFresh(count, groupCommit)])),
  );
  const report: Report = { sides: {}, ratios: {} };
  for (const [count, rates] of Object.entries(ours)) {
    const name = `${count} writers`;
    const mutex = [await inFresh(Number(count), jobs('push-under-mutex.sh'))];
    const retries = [await inFresh(Number(count), jobs('push-and-retry.sh'))];
    Object.assign(report.sides, {
      [`${name}: group commit`]: side(unit, rates),
      [`${name}: pull-rebase-push under a mutex`]: side(unit, mutex),
      [`${name}: pull-rebase-push, tried again`]: side(unit, retries),
    });
    report.ratios[`${name}: group commit / mutex`] = judged(over(rates, mutex), { atLeast: 100 });
    report.ratios[`${name}: group commit / tried again`] = rangeOf(over(rates, retries));
  }
  const [least, most] = [Math.min(...writers), Math.max(...writers)];
  if (least < most) {
    const ratio = over(ours[most] ?? [], ours[least] ?? []);
    report.ratios[`group commit: ${most} writers / ${least} writers`] = judged(ratio, { atLeast: 1 });
  }
  return report;
}

type Writing = (monorepo: Monorepo) => Promise<number>;

/** @returns commits a second */
async function inFresh(services: number, writing: Writing): Promise<number> {
  const monorepo = await makeMonorepo(services);
  try {
    return await writing(monorepo);
  } finally {
    await monorepo.remove();
  }
}

const groupCommit: Writing = async ({ services, repository, landed }) => {
  const writes = await Promise.all(services.map((service) => releaseOf(repository, service)));
  const ms = await timed(() => Promise.all(writes.map((write) => repository.writeRelease(write))));
  const { releases, commits } = await landed();
  if (releases !== services.length || commits !== services.length) {
    throw new Error(`Of ${services.length} writes ${releases} releases in ${commits} commits landed.`);
  }
  return (commits / ms) * 1000;
};

async function releaseOf(repository: Repository, service: string): Promise<ReleaseWrite> {
  const commit = await repository.tip();
  const path = `deploy/${service}`;
  const image = { name: `registry.example/${service}`, digest: `sha256:${commit.padEnd(64, '0')}` };
  return {
    branch: 'main',
    path: `${path}/overlays/dev/release`,
    base: (await repository.object(commit, `${path}/base`)) ?? '',
    kustomization: releaseKustomization({ change: { service, commit }, image }),
    expectedTree: undefined,
    message: `release: ${service} ${commit.slice(0, 12)} to dev`,
    stillWanted: () => Promise.resolve(true),
  };
}

/** All jobs at once; the clock begins when their clones are ready. */
const jobs =
  (script: string): Writing =>
  async ({ clones, env, landed }) => {
    const folder = await clones();
    const job = [
      '--signal=KILL',
      `${patienceSeconds}`,
      comparator('all-at-once.sh'),
      comparator(script),
      folder,
    ];
    const ms = await timed(() => execa('timeout', job, { env, reject: false }));
    const { commits } = await landed();
    return (commits / ms) * 1000;
  };
