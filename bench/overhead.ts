import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { applicationName } from '../src/config/environments.ts';
import { activitiesOf, runsOf } from '../test/support/histories.ts';
import { comparator, kubeconfigOfArgoCd } from './comparator.ts';
import { makeDeliveryPlatform, type DeliveryPlatform } from './delivery-platform.ts';
import { above, interleaved, judged, over, side, timed, type Parameters, type Report } from './harness.ts';
import { startWorker } from './worker.ts';

/** With image, release and wait, the script takes 30 seconds. */
const longTest = ['sleep', '28.7'];

/**
 * A delivery to dev, from the commit until it is synced and healthy there: verify, test, build, release, wait. The script
 * does the same commands and keeps nothing, so what is above it is the price of being able to resume.
 */
export async function run({ rounds = 7 }: Parameters = {}): Promise<Report> {
  const short = await measured(['true'], rounds);
  // Half a minute each; what they differ by is better seen in the short ones.
  const long = await measured(longTest, Math.ceil(rounds / 3));
  const perStep = above(short.delivery, short.script).map((ms) => ms / short.steps);
  return {
    sides: {
      'delivery, test of 28.7 s': side('ms', long.delivery),
      'script, test of 28.7 s': side('ms', long.script),
      'delivery, test of no time': side('ms', short.delivery),
      'script, test of no time': side('ms', short.script),
    },
    ratios: {
      'delivery / script, test of 28.7 s': judged(over(long.delivery, long.script), { atMost: 1.03 }),
    },
    bounds: { 'above the script, a step': { unit: 'ms', ...judged(perStep, { atMost: 25 }) } },
    notes: [`A delivery is ${short.steps} steps (activities).`],
  };
}

async function measured(test: string[], rounds: number) {
  const platform = await makeDeliveryPlatform({
    services: ['web', 'shop'],
    deployed: ['web', 'shop'],
    environments: [{ name: 'dev', entersBy: 'push' }],
    test,
  });
  const worker = await startWorker(platform.env);
  try {
    const script = await scriptOf(platform, 'shop', test);
    const sides = {
      delivery: async () => {
        const commit = await platform.commit('web');
        return timed(() => platform.deliver('web', commit));
      },
      script: async () => {
        const commit = await platform.commit('shop');
        return timed(() => script(commit));
      },
    };
    await interleaved(1, sides); // Clones, base image, the first sync.
    const samples = await interleaved(rounds, sides);
    const activities = (await runsOf(platform.temporal, platform.name)).flatMap(activitiesOf);
    return { ...samples, steps: Math.round(activities.length / (rounds + 1)) };
  } finally {
    await worker.end();
    await platform.remove();
  }
}

async function scriptOf({ config, git, folder, name }: DeliveryPlatform, service: string, test: string[]) {
  const cwd = join(folder, 'script');
  await mkdir(cwd);
  const env = { ...git, KUBECONFIG: await kubeconfigOfArgoCd(folder) };
  const image = `localhost:5000/${name}/${service}`;
  const application = applicationName(config, service, 'dev');
  return (commit: string) =>
    execa(comparator('delivery.sh'), [config.repository.url, service, commit, image, application, ...test], {
      cwd,
      env,
    });
}
