import type { z } from 'zod';
import { compareInputSchema, type BackupDifference } from '../model/recovery/backup.ts';
import { checkedInput } from './input-checks.ts';
import { recovery } from './recovery-activities.ts';

/** Which objects two backups do not share. */
export async function compareBackups(input: z.infer<typeof compareInputSchema>): Promise<BackupDifference> {
  const { platform, cluster, from, to } = checkedInput(compareInputSchema, input);
  return recovery(platform).compareBackups({ cluster, from, to });
}
