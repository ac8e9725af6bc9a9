import type { z } from 'zod';
import { verifyInputSchema, type RecoveryPoint } from '../model/recovery/backup.ts';
import { backingUp } from './activity-options.ts';
import { checkedInput } from './input-checks.ts';

/** Looks whether a backup, the newest unless one is named, could be restored. */
export async function verifyBackup(input: z.infer<typeof verifyInputSchema>): Promise<RecoveryPoint> {
  const asked = checkedInput(verifyInputSchema, input);
  const { cluster, key, accept } = asked;
  return backingUp(asked, 'recovery').verifyBackup({
    cluster,
    ...(key !== undefined && { key }),
    ...(accept !== undefined && { accept }),
  });
}
