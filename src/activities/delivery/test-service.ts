import { cancellationSignal } from '@temporalio/activity';
import { join } from 'node:path';
import { milliseconds } from '../../config/duration.ts';
import { changeName } from '../../model/delivery/change.ts';
import type { BuildActivities } from '../contract.ts';
import { withCheckout, type CheckoutSystems } from './checkout.ts';
import { assertSucceeded } from './command-result.ts';
import { serviceOf } from './known-service.ts';
import { withOutputLog } from './output-log.ts';
import type { Systems } from '../systems.ts';

/** Safe to repeat: each attempt has a checkout and a log of its own. */
export function createTestService(
  systems: CheckoutSystems & Pick<Systems, 'config' | 'objects' | 'images' | 'commands'>,
): Pick<BuildActivities, 'testService'> {
  const { config, objects, images, commands } = systems;

  return {
    testService: ({ change }) =>
      withOutputLog(objects, change, 'test', async (log) => {
        const service = await serviceOf(systems, change);
        const timeoutMs = milliseconds(config.services.testTimeout);
        await withCheckout(systems, change.commit, async (directory) => {
          const shared = { timeoutMs, signal: cancellationSignal(), onOutput: log.write };
          const cwd = join(directory, service.path);
          const result = service.test
            ? await commands.run({ command: service.test, cwd, env: {}, ...shared })
            : await images.tryBuild({
                context: cwd,
                dockerfile: join(cwd, 'Dockerfile'),
                target: 'test',
                ...shared,
              });
          assertSucceeded(result, 'TestsFailed', `The tests of ${changeName(change)}`, log);
        });
        return { log: log.key };
      }),
  };
}
