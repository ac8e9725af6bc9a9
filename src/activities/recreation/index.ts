import type { RecreationActivities } from '../contract.ts';
import { createCheck } from './check.ts';
import { createFinish } from './finish.ts';
import { createInstall } from './install.ts';
import { createRestoreBackup } from './restore.ts';
import { createReportRecreation } from './report.ts';
import { createRestoreAutomation } from './restore-automation.ts';
import { createStart } from './start.ts';
import { createSyncFrame } from './sync-frame.ts';
import { createSyncWave } from './sync-wave.ts';
import type { RecreationSystems } from './systems.ts';

/** Nothing of the outside world is touched before an activity is called: a worker may lack what none of them needs. */
export const createRecreationActivities = (systems: RecreationSystems): RecreationActivities => ({
  ...createCheck(systems),
  ...createInstall(systems),
  ...createRestoreBackup(systems),
  ...createStart(systems),
  ...createSyncFrame(systems),
  ...createSyncWave(systems),
  ...createRestoreAutomation(systems),
  ...createReportRecreation(systems),
  ...createFinish(systems),
});
