import { z } from 'zod';
import { changeName, type Change, type Image } from '../../model/delivery/change.ts';
import { digestSchema } from '../../model/names.ts';
import { objectKeys } from '../../model/object-keys.ts';
import { getJson } from '../../systems/objects/index.ts';
import { withObjects, withRegistry } from '../failures.ts';
import type { Systems } from '../systems.ts';

/** What a build of this program left: only such digests reach production. */
export const buildRecordSchema = z.object({
  change: z.string(),
  name: z.string(),
  digest: digestSchema,
  builtAt: z.string(),
  log: z.string().optional(),
});

type RecordSystems = Pick<Systems, 'objects' | 'images'>;

/** Found done only when this program recorded it, since anybody may have pushed the tag, and the registry still has it. */
export async function recordedImage(
  { objects, images }: RecordSystems,
  change: Change,
): Promise<Image | undefined> {
  const found = await withObjects(() => getJson(objects, objectKeys.build(change), buildRecordSchema));
  if (!found) return undefined;
  const { name, digest } = found.value;
  return (await withRegistry(() => images.labels({ name, digest }))) && { name, digest };
}

/** The first record stays: another attempt's build of the same commit is as good, but production knows only one. */
export async function recordImage(
  { objects, images }: RecordSystems,
  change: Change,
  image: Image,
  log: { log?: string } = {},
): Promise<Image & { log?: string }> {
  const key = objectKeys.build(change);
  const body = {
    change: changeName(change),
    ...image,
    builtAt: new Date().toISOString(),
    ...log,
  };
  return withObjects(async () => {
    const known = await getJson(objects, key, buildRecordSchema);
    const condition = known ? { ifMatch: known.etag } : { ifAbsent: true };
    const gone = known && !(await withRegistry(() => images.labels(known.value)));
    if ((!known || gone) && (await objects.put(key, JSON.stringify(body), condition))) {
      return { ...image, ...log };
    }
    const first = await getJson(objects, key, buildRecordSchema);
    if (!first) throw new Error(`${key} was removed while it was written. Trying again.`);
    return { name: first.value.name, digest: first.value.digest, ...log };
  });
}
