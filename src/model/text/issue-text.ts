import type { z } from 'zod';

/** What is wrong with something that a schema refused, in a line. */
export const issueText = (issues: readonly z.core.$ZodIssue[]): string =>
  issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
