import type { z } from 'zod';
import { verifyInputSchema, type RecoveryPoint } from '../model/recovery/backup.ts';
import { checkedInput } from './input-checks.ts';
import { recovery } from './recovery-activities.ts';

/** Looks whether a backup, the newest unless one is named, could be restored. */
export async function verifyBackup(input: z.infer<typeof verifyInputSchema>): Promise<RecoveryPoint> {
  const { platform, cluster, key, accept } = checkedInput(verifyInputSchema, input);
  return recovery(platform).verifyBackup({
    cluster,
    ...(key !== undefined && { key }),
    ...(accept !== undefined && { accept }),
  });
}
