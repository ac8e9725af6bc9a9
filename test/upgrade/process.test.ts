import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recreationId } from '../../src/model/temporal/workflow-ids.ts';
import { bin, startCommand } from '../support/cli.ts';
import {
  checkAll,
  closeAll,
  newPlatform,
  rigOf,
  startWorkers,
  useTemporal,
} from '../support/workflow-rig.ts';
import { World } from '../support/world.ts';
import { previousRelease } from './previous-release.ts';

useTemporal();

/** Of a whole process; on a busy machine it takes one to start. */
const timeout = 120_000;

test(
  'a delivery and a recreation go on when the process that serves them is replaced by the present release',
  async () => {
    const platform = newPlatform();
    const world = new World(platform, ['production']);
    for (const settings of Object.values(world.settings)) settings.approval = { by: 'none' };
    const rig = rigOf(platform, world);
    // Of systems the processes reach Temporal only: what they try elsewhere is tried again, until one of these does it.
    const end = await startWorkers(platform, (client) => world.activities(client), {
      code: 'none',
      ownConnection: true,
    });
    const release = await previousRelease();
    const serve = async (program: string) => {
      const worker = startCommand(rig, ['worker', '--queues', 'delivery'], {}, timeout, program);
      await worker.says('ready: ');
      return worker;
    };
    try {
      const [tests, frame] = [world.hold('deliver testService'), world.hold('deliver syncFrame')];
      const previous = await serve(join(release, 'bin/gitops.js'));
      const change = { service: 'claims', commit: World.commit(1) };
      const delivery = await rig.deliver(change);
      const input = { platform, cluster: 'live' };
      const recreation = await rig.start('recreateCluster', recreationId(platform, 'live'), input);
      await Promise.all([tests.begun, frame.begun]);
      expect(await previous.end()).toBe(0);

      const present = await serve(bin);
      tests.goOn();
      frame.goOn();
      expect(await delivery.result()).toMatchObject({ state: 'succeeded' });
      expect(await recreation.result()).toMatchObject({ state: 'succeeded' });
      expect(await present.end()).toBe(0);

      const name = `claims/${change.commit}`;
      expect(world.effects.filter((effect) => effect.endsWith(name))).toEqual([
        `open production ${name}`,
        `merge production ${name}`,
      ]);
      const runs = await closeAll(platform);
      await checkAll(runs);
      for (const type of ['deliverService', 'recreateCluster']) {
        const { history } = runs.find((run) => run.type === type) ?? {};
        const by = history?.events?.map(
          (event) => event.workflowTaskCompletedEventAttributes?.identity ?? '',
        );
        for (const { pid } of [previous, present]) {
          expect(by).toContainEqual(expect.stringMatching(`^${pid}@`));
        }
      }
    } finally {
      await end();
      await rm(release, { recursive: true });
    }
  },
  3 * timeout,
);
