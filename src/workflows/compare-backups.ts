import type { z } from 'zod';
import { compareInputSchema, type BackupDifference } from '../model/recovery/backup.ts';
import { backingUp } from './activity-options.ts';
import { checkedInput } from './input-checks.ts';

/** Which objects two backups do not share. */
export async function compareBackups(input: z.infer<typeof compareInputSchema>): Promise<BackupDifference> {
  const asked = checkedInput(compareInputSchema, input);
  const { cluster, from, to } = asked;
  return backingUp(asked, 'recovery').compareBackups({ cluster, from, to });
}
