import { cancellationSignal } from '@temporalio/activity';
import { milliseconds } from '../../config/duration.ts';
import { sourceConfigOf } from '../../config/sources.ts';
import { changeName } from '../../model/delivery/change.ts';
import { refused, withRegistry } from '../failures.ts';
import type { BuildActivities } from '../contract.ts';
import { buildInput } from './build-input.ts';
import { recordedImage, recordImage } from './build-records.ts';
import { withCheckout, type CheckoutSystems } from './checkout.ts';
import { assertSucceeded } from './command-result.ts';
import { serviceOf } from './known-service.ts';
import { logOf, withOutputLog } from './output-log.ts';
import type { Systems } from '../systems.ts';

/** Safe to repeat and side by side: each attempt has a checkout and a log of its own; the record is written once. */
export function createBuildImage(
  systems: CheckoutSystems & Pick<Systems, 'config' | 'objects' | 'images'>,
): Pick<BuildActivities, 'buildImage'> {
  const { config, objects, images } = systems;
  const buildAndPush: typeof images.buildAndPush = (...work) =>
    withRegistry(() => images.buildAndPush(...work));

  return {
    async buildImage({ change, source }) {
      const found = await recordedImage(systems, change);
      if (found) return found;
      const service = await serviceOf(systems, change);
      const { image: name, target } = service;
      if (name === undefined) throw refused(`${change.service} has no image to build.`);
      const { result, log } = await withOutputLog(objects, change, 'build', (onOutput) =>
        withCheckout(systems, change, async (directory) => {
          return buildAndPush(
            {
              ...(await buildInput(directory, service)),
              ...(target !== undefined && { target }),
              timeoutMs: milliseconds(config.services.buildTimeout),
              signal: cancellationSignal(),
              onOutput,
            },
            {
              name,
              tag: change.commit,
              createdAt: Math.floor(Date.parse(source.committedAt) / 1000),
              labels: {
                'org.opencontainers.image.revision': change.commit,
                'org.opencontainers.image.source':
                  sourceConfigOf(config, change.service)?.repository ?? config.repository.url,
                'org.opencontainers.image.created': source.committedAt,
              },
            },
          );
        }),
      );
      assertSucceeded(result, 'BuildFailed', `The image of ${changeName(change)}`, log);
      return recordImage(systems, change, { name, digest: result.digest }, logOf(log));
    },
  };
}
