import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { executeChild } from '@temporalio/workflow';
import { backupInputSchema, type BackupInput, type RecoveryPoint } from '../model/recovery/backup.ts';
import { attributes } from '../model/temporal/search-attributes.ts';
import { backupId } from '../model/temporal/workflow-ids.ts';
import { backUpArgoCd } from './back-up-argo-cd.ts';
import { checkedInput } from './input-checks.ts';

/**
 * Run by the Schedule, which adds a time to the IDs of what it starts: that two backups never overlap, whoever started
 * them, only the one ID does. One that is under way serves for this night.
 */
export async function nightlyBackup(input: BackupInput): Promise<RecoveryPoint | undefined> {
  const asked = checkedInput(backupInputSchema, input);
  const { platform, cluster } = asked;
  try {
    return await executeChild(backUpArgoCd, {
      workflowId: backupId(platform, cluster),
      args: [asked],
      staticSummary: `nightly backup of ${cluster}`,
      typedSearchAttributes: [{ key: attributes.platform, value: platform }],
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}
