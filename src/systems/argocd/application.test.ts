import { expect, test } from 'vitest';
import { parseApplication } from './application.ts';

test('what Argo CD quotes of a manifest is cut to what a history holds', () => {
  const message = `Invalid value: "${'x'.repeat(1_000_000)}"`;
  const application = parseApplication({
    metadata: { name: 'claims-dev' },
    spec: { destination: {} },
    status: {
      health: { status: 'Degraded', message },
      conditions: [{ type: 'SyncError', message }],
      operationState: { operation: {}, phase: 'Failed', message, startedAt: '2026-01-01T00:00:00Z' },
    },
  });
  const told = [application.health, application.conditions[0], application.operation];
  for (const one of told) expect(one?.message).toMatch(/^Invalid value: "x{3900,4000}…$/);
});
