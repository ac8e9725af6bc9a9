import { expect, test } from 'vitest';
import { z } from 'zod';
import { issueText } from './issue-text.ts';

test('what is wrong with a field is told with its name, and with the whole of it without one', () => {
  const schema = z.strictObject({ by: z.strictObject({ name: z.string() }) });
  const { error } = schema.safeParse({ by: { name: 7 }, mood: 'good' });
  expect(issueText(error?.issues ?? [])).toBe(
    'by.name: Invalid input: expected string, received number; Unrecognized key: "mood"',
  );
});
