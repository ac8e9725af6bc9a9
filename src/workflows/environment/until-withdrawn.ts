import type { Outcome } from '../../model/promotion/promotion.ts';
import { cancelWhen } from '../cancel-when.ts';
import { withdrawal, type Promotion } from './promotion.ts';

/**
 * Does what a withdrawal ends.
 *
 * @param done what of it stays, then
 * @returns what it came to, or how the promotion ends
 */
export async function untilWithdrawn<T>(
  p: Promotion,
  done: string,
  work: () => Promise<T>,
): Promise<T | (Outcome & { state: 'failed' })> {
  try {
    return await cancelWhen(() => p.withdrawn !== undefined, work);
  } catch (error) {
    const withdrawn = withdrawal(p, done);
    if (!withdrawn) throw error;
    return withdrawn;
  }
}
