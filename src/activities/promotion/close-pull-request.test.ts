import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test, vi } from 'vitest';
import type { Forge } from '../../systems/forge/index.ts';
import { createClosePullRequest } from './close-pull-request.ts';

test('a pull request that is closed says why to the end, with what to do next', async () => {
  const change = { service: 'claims', commit: 'a'.repeat(40) };
  const branch = `gitops/production/claims/${change.commit}`;
  const updatePullRequest = vi.fn<Forge['updatePullRequest']>();
  const forge = {
    pullRequest: async () => ({ state: 'open', body: 'Brings claims.', head: { branch } }),
    updatePullRequest,
    deleteBranch: async () => undefined,
  } as unknown as Forge;
  const temporal = {
    workflow: { getHandle: () => ({ describe: async () => ({ status: { name: 'RUNNING' } }) }) },
  } as unknown as Client;
  const reason = `${'The merge was refused by a rule. '.repeat(10)}Let it merge, then deliver the change again.`;

  await new MockActivityEnvironment({ workflowExecution: { workflowId: 'w', runId: 'r' } }).run(() =>
    createClosePullRequest({ forge, temporal }).closePullRequest({
      ...{ environment: 'production', change, number: 7, reason },
    }),
  );

  const [[, { body }] = [0, { body: '' }]] = updatePullRequest.mock.calls;
  expect(body).toContain(reason);
  expect(body).toContain('Brings claims.');
});
