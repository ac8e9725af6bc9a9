import { cancellationSignal } from '@temporalio/activity';
import { join } from 'node:path';
import { milliseconds } from '../../config/duration.ts';
import { changeName } from '../../model/delivery/change.ts';
import type { BuildActivities } from '../contract.ts';
import { buildInput } from './build-input.ts';
import { withCheckout, type CheckoutSystems } from './checkout.ts';
import { assertSucceeded, type CommandResult } from './command-result.ts';
import { serviceOf } from './known-service.ts';
import { logOf, withOutputLog } from './output-log.ts';
import type { Systems } from '../systems.ts';

/** Safe to repeat: each attempt has a checkout and a log of its own. */
export function createTestService(
  systems: CheckoutSystems & Pick<Systems, 'config' | 'objects' | 'images' | 'commands'>,
): Pick<BuildActivities, 'testService'> {
  const { config, objects, images, commands } = systems;

  return {
    async testService({ change }) {
      const service = await serviceOf(systems, change);
      const { path, test } = service;
      const timeoutMs = milliseconds(config.services.testTimeout);
      const { result, log } = await withOutputLog(objects, change, 'test', (onOutput) =>
        withCheckout(systems, change, async (directory): Promise<CommandResult> => {
          const shared = { timeoutMs, signal: cancellationSignal(), onOutput };
          return test
            ? commands.run({ command: test, cwd: join(directory, path), env: {}, ...shared })
            : images.tryBuild({ ...(await buildInput(directory, service)), target: 'test', ...shared });
        }),
      );
      assertSucceeded(result, 'TestsFailed', `The tests of ${changeName(change)}`, log);
      return logOf(log);
    },
  };
}
