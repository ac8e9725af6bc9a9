import type { Client } from '@temporalio/client';
import type { EnvironmentInput } from '../../model/promotion/environment.ts';
import { environmentId } from '../../model/temporal/workflow-ids.ts';
import { taskQueue, priorityOf } from '../../model/temporal/task-queues.ts';
import { promote, withdraw } from '../../model/temporal/messages.ts';
import { attributes } from '../../model/temporal/search-attributes.ts';
import { ownRunIsOpen } from '../../systems/temporal/runs.ts';
import type { AskActivities, Place } from '../contract.ts';

/**
 * A delivery asks an environment by signal-with-start, which only a client can send. Safe to repeat and late: the
 * environment knows an ask by its ID, and answers an ended or withdrawn one again; a run that has ended asks for nothing.
 */
export function createAskActivities({
  platform,
  temporal,
}: {
  platform: string;
  temporal: Client;
}): AskActivities {
  const place = ({ environment, service }: Place) => ({
    workflowId: environmentId(platform, environment, service),
    taskQueue: taskQueue(platform, 'delivery'),
    priority: priorityOf.promotion(service),
    args: [{ platform, environment, service }] satisfies [EnvironmentInput],
    staticSummary: `${service} in ${environment}`,
    typedSearchAttributes: [
      { key: attributes.platform, value: platform },
      { key: attributes.service, value: service },
      { key: attributes.environment, value: environment },
    ],
  });

  return {
    async askEnvironment({ environment, ask }) {
      const { service } = ask.release.change;
      // An environment that never heard of it would take it for its delivery's latest word.
      if (!(await ownRunIsOpen(temporal))) return;
      await temporal.workflow.signalWithStart('environment', {
        ...place({ environment, service }),
        signal: promote,
        signalArgs: [ask],
      });
    },

    async withdrawAsk({ environment, ask, reason }) {
      const { service } = ask.release.change;
      // With start, too: a withdrawal that overtakes its ask, or comes to an environment that was terminated, is answered.
      await temporal.workflow.signalWithStart('environment', {
        ...place({ environment, service }),
        signal: withdraw,
        signalArgs: [{ ask, reason }],
      });
    },
  };
}
