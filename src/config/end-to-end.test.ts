import { expect, test } from 'vitest';
import { configuration } from '../../test/support/configuration.ts';
import { isTestedEndToEnd } from './end-to-end.ts';

const command = ['true'];
const isTested = (endToEnd: object | undefined, service: string): boolean => {
  const environments = [{ name: 'dev', entersBy: 'push', ...(endToEnd && { endToEnd }) }];
  return isTestedEndToEnd(configuration({ environments }), 'dev', service);
};

test('an end-to-end test follows every promotion, unless it is for some services only', () => {
  expect(isTested(undefined, 'claims')).toBe(false);
  expect(isTested({ command }, 'claims')).toBe(true);
  const services = ['claims', 'web-*'];
  const tested = ['claims', 'claims-scrubbing', 'web', 'web-admin', 'my-web-admin'].filter((service) =>
    isTested({ command, services }, service),
  );
  expect(tested).toEqual(['claims', 'web-admin']);
});
