import { z } from 'zod';
import { changeSchema } from '../delivery/change.ts';

export const decisionRequestSchema = z.strictObject({
  change: changeSchema,
  verdict: z.enum(['approve', 'reject']),
  /** A key of `people` in the configuration. */
  by: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  reason: z.string().max(2000).optional(),
  /** Digest of the manifests that the person saw; a decision on another one is refused. */
  manifestsDigest: z.string().optional(),
});
export type DecisionRequest = z.infer<typeof decisionRequestSchema>;

export interface Decision {
  verdict: 'approve' | 'reject';
  by: string;
  reason?: string;
  /** ISO 8601 */
  at: string;
  manifestsDigest: string;
}
