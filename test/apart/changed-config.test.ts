import { readFileSync, writeFileSync } from 'node:fs';
import { expect, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { environmentId } from '../../src/model/temporal/workflow-ids.ts';
import { environmentOf, startCommand } from '../support/cli.ts';
import { test, useTemporal } from '../support/workflow-rig.ts';

useTemporal();

const patience = 60_000;

test(
  'a worker goes on by a changed configuration without a restart, and by the one before while that is wrong',
  async ({ rig }) => {
    await rig.endWorkers();
    const env = environmentOf(rig);
    const file = env['GITOPS_CONFIG'] ?? '';
    const config = parse(readFileSync(file, 'utf8')) as { environments: object[]; forge: object };
    const worker = startCommand(rig, ['worker', '--queues', 'delivery'], env, 3 * patience);
    const begin = () =>
      rig.start('environment', environmentId(rig.platform, 'qa', 'claims'), {
        platform: rig.platform,
        environment: 'qa',
        service: 'claims',
      });
    const isUnknown = {
      cause: { message: expect.stringContaining('There is no environment qa.') as string },
    };
    try {
      await worker.says(`ready: ${rig.platform}`);
      await expect((await begin()).result()).rejects.toMatchObject(isUnknown);

      writeFileSync(file, stringify({ ...config, environments: [] }));
      await worker.says('the configuration has changed and is refused');
      await expect((await begin()).result()).rejects.toMatchObject(isUnknown);

      const forge = { ...config.forge, token: 'env:NOT_HERE' };
      writeFileSync(file, stringify({ ...config, forge }));
      await worker.says('cannot serve delivery: forge.token (env:NOT_HERE).');

      writeFileSync(file, stringify({ ...config, environments: [...config.environments, { name: 'qa' }] }));
      await worker.says('goes on by it');
      const known = await begin();
      // What it runs is asked of the object store, which is nowhere.
      await vi.waitFor(
        async () => {
          const { status, raw } = await known.describe();
          expect(status.name).toBe('RUNNING');
          expect(raw.pendingActivities?.[0]?.lastFailure?.message).not.toContain('There is no environment');
          expect(raw.pendingActivities?.[0]?.attempt).toBeGreaterThan(1);
        },
        { timeout: patience, interval: 500 },
      );
      expect(await worker.end()).toBe(0);
    } finally {
      void worker.kill();
    }
  },
  3 * patience,
);
