import { cancellationSignal } from '@temporalio/activity';
import { milliseconds } from '../../config/duration.ts';
import { environmentOf } from '../../config/environments.ts';
import { imageReference } from '../../model/delivery/delivery.ts';
import { endToEndStep } from '../../model/object-keys.ts';
import { refused } from '../failures.ts';
import type { BuildActivities } from '../contract.ts';
import { withCheckout, type CheckoutSystems } from './checkout.ts';
import { assertSucceeded } from './command-result.ts';
import { logOf, withOutputLog } from './output-log.ts';
import type { Systems } from '../systems.ts';

/** Safe to repeat: each attempt has a checkout and a log of its own. */
export function createRunEndToEnd(
  systems: CheckoutSystems & Pick<Systems, 'config' | 'objects' | 'commands'>,
): Pick<BuildActivities, 'runEndToEnd'> {
  const { config, objects, commands } = systems;

  return {
    async runEndToEnd({ change, environment, image, previous }) {
      const { endToEnd } = environmentOf(config, environment);
      if (!endToEnd) throw refused(`${environment} has no endToEnd any more. See gitops.yaml.`);
      const { command, env, timeout } = endToEnd;
      const timeoutMs = milliseconds(timeout);
      const tested = {
        GITOPS_SERVICE: change.service,
        GITOPS_COMMIT: change.commit,
        GITOPS_ENVIRONMENT: environment,
        ...(image && { GITOPS_IMAGE: imageReference(image) }),
        ...(previous && { GITOPS_PREVIOUS_IMAGE: imageReference(previous) }),
      };
      const { result, log } = await withOutputLog(objects, change, endToEndStep(environment), (onOutput) =>
        withCheckout(systems, change, (cwd) =>
          commands.run({
            command,
            cwd,
            env: { ...env, ...tested },
            timeoutMs,
            signal: cancellationSignal(),
            onOutput,
          }),
        ),
      );
      assertSucceeded(result, 'EndToEndFailed', `The end-to-end test in ${environment}`, log);
      return logOf(log);
    },
  };
}
