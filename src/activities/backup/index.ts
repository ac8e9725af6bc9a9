import type { Config } from '../../config/schema.ts';
import type { RecoveryActivities } from '../contract.ts';
import { createCompareBackups } from './compare.ts';
import type { Recovery } from './open.ts';
import { createVerifyBackup } from './verify.ts';

/** @param scratch folder for encrypted files on their way */
export const createRecoveryActivities = (
  systems: { config: Config; recovery: Recovery },
  scratch: string,
): RecoveryActivities => ({
  ...createVerifyBackup(systems, scratch),
  ...createCompareBackups(systems, scratch),
});
