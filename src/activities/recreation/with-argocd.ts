import type { RecreationActivities } from '../contract.ts';
import { createReportRecreation } from './report.ts';
import { createRestoreAutomation } from './restore-automation.ts';
import { createSyncFrame } from './sync-frame.ts';
import { createSyncWave } from './sync-wave.ts';
import type { RecreationSystems } from './systems.ts';

/** What a recreation does once Argo CD runs. */
export const createArgoCdPhases = (
  systems: RecreationSystems,
): Pick<RecreationActivities, 'syncFrame' | 'syncWave' | 'restoreAutomation' | 'reportRecreation'> => ({
  ...createSyncFrame(systems),
  ...createSyncWave(systems),
  ...createRestoreAutomation(systems),
  ...createReportRecreation(systems),
});
