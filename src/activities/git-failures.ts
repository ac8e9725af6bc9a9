import { GitError } from '../systems/git/index.ts';
import { refused } from './failures.ts';

/** Does some work with Git; what no other attempt mends is refused, the rest is thrown as it is. */
export async function withGit<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const lasting = error instanceof GitError && (error.kind === 'forbidden' || error.kind === 'missing');
    throw lasting ? refused(error.message) : error;
  }
}
