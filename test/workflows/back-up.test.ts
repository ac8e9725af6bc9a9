import { expect } from 'vitest';
import { backupId, nightlyBackupId } from '../../src/model/temporal/workflow-ids.ts';
import { taskQueue } from '../../src/model/temporal/task-queues.ts';
import { attributes } from '../../src/model/temporal/search-attributes.ts';
import { test, useTemporal, type Rig } from '../support/workflow-rig.ts';

useTemporal();

const cluster = 'live';

const start = ({ platform, temporal }: Rig, type: string, workflowId: string) =>
  temporal.client.workflow.start(type, {
    workflowId,
    taskQueue: taskQueue(platform, 'delivery'),
    args: [{ platform, cluster }],
    typedSearchAttributes: [{ key: attributes.platform, value: platform }],
  });

test('the night makes no second backup beside one that is under way', async ({ rig }) => {
  let verified: () => void = () => undefined;
  const read = new Promise<void>((resolve) => (verified = resolve));
  rig.world.verifying = () => read;
  const byHand = await start(rig, 'backUpArgoCd', backupId(rig.platform, cluster));
  await expect.poll(() => rig.world.effects).toEqual(['back up live']);
  const night = await start(rig, 'nightlyBackup', `${nightlyBackupId(rig.platform, cluster)}-2026-01-01`);
  expect(await night.result()).toBeUndefined();
  verified();
  expect(await byHand.result()).toMatchObject({ state: 'good', cluster });
  expect(rig.world.effects).toEqual(['back up live']);
});

test('a backup that is not good fails, and says why', async ({ rig }) => {
  rig.world.verification = { state: 'bad', reason: 'Its bytes are not those that were written.' };
  const backup = await start(rig, 'backUpArgoCd', backupId(rig.platform, cluster));
  await expect(backup.result()).rejects.toMatchObject({
    cause: { type: 'NotGood', message: expect.stringMatching(/not counted as good. Its bytes/) as string },
  });
});

test('a backup under another ID is refused, since two could overlap', async ({ rig }) => {
  const backup = await start(rig, 'backUpArgoCd', `${rig.platform}/backup-of-my-own`);
  await expect(backup.result()).rejects.toMatchObject({ cause: { type: 'Refused' } });
});
