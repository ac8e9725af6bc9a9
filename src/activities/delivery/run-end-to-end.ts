import { cancellationSignal } from '@temporalio/activity';
import { milliseconds } from '../../config/duration.ts';
import { environmentOf } from '../../config/environments.ts';
import { refused } from '../failures.ts';
import type { BuildActivities } from '../contract.ts';
import { withCheckout, type CheckoutSystems } from './checkout.ts';
import { assertSucceeded } from './command-result.ts';
import { withOutputLog } from './output-log.ts';
import type { Systems } from '../systems.ts';

/** Safe to repeat: each attempt has a checkout and a log of its own. */
export function createRunEndToEnd(
  systems: CheckoutSystems & Pick<Systems, 'config' | 'objects' | 'commands'>,
): Pick<BuildActivities, 'runEndToEnd'> {
  const { config, objects, commands } = systems;

  return {
    runEndToEnd: ({ change, environment }) =>
      withOutputLog(objects, change, `end-to-end-${environment}`, async (log) => {
        const { endToEnd } = environmentOf(config, environment);
        if (!endToEnd) throw refused(`${environment} has no endToEnd any more. See gitops.yaml.`);
        await withCheckout(systems, change.commit, async (cwd) => {
          const { command, env } = endToEnd;
          const timeoutMs = milliseconds(endToEnd.timeout);
          const result = await commands.run({
            command,
            cwd,
            env,
            timeoutMs,
            signal: cancellationSignal(),
            onOutput: log.write,
          });
          assertSucceeded(result, 'EndToEndFailed', `The end-to-end test in ${environment}`, log);
        });
        return { log: log.key };
      }),
  };
}
