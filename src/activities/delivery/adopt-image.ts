import { changeName } from '../../model/delivery/change.ts';
import { canonicalName } from '../../model/image-name.ts';
import { digestSchema } from '../../model/names.ts';
import { refused, withRegistry } from '../failures.ts';
import type { BuildActivities } from '../contract.ts';
import { recordImage } from './build-records.ts';
import { serviceOf } from './known-service.ts';
import type { Systems } from '../systems.ts';

/** Safe to repeat and side by side: it reads, and the record is written once. */
export function createAdoptImage(
  systems: Pick<Systems, 'config' | 'repository' | 'objects' | 'images'>,
): Pick<BuildActivities, 'adoptImage'> {
  const { config, images } = systems;

  return {
    async adoptImage({ change, reference }) {
      const [given = '', digest = ''] = reference.split('@');
      if (!digestSchema.safeParse(digest).success) {
        throw refused(`${reference} names no digest. Give the image as NAME@sha256:…`);
      }
      const service = await serviceOf(systems, change);
      const allowed = [service.image, ...config.registry.allowed].filter((image) => image !== undefined);
      // As the configuration spells it, since manifests do so, too.
      const name = allowed.find((image) => canonicalName(image) === canonicalName(given));
      if (name === undefined) {
        throw refused(
          `${given} is not where images of ${change.service} come from (${allowed.join(', ')}). Give it as NAME@sha256:…, without a tag.`,
        );
      }
      const labels = await withRegistry(() => images.labels({ name, digest }));
      if (!labels) throw refused(`The registry has no ${reference}. Push it first.`);
      const revision = labels['org.opencontainers.image.revision'];
      if (revision !== change.commit) {
        throw refused(
          `${reference} is labelled as revision ${revision ?? '(none)'}, not ${change.commit}. Build it with the label org.opencontainers.image.revision.`,
        );
      }
      const recorded = await recordImage(systems, change, { name, digest });
      if (recorded.digest === digest) return recorded;
      throw refused(
        `${changeName(change)} has an image already, ${recorded.name}@${recorded.digest}, and ${reference} is another. ` +
          'Leave --image out to deliver the first, or make a commit for the other.',
      );
    },
  };
}
