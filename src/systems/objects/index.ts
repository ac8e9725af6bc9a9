import type { z } from 'zod';
import { parseJson } from '../../model/json.ts';
import { SystemError } from '../system-error.ts';

/** The store did not do what it was asked for. */
export class ObjectStoreError extends SystemError {}

interface StoredObject {
  body: string;
  /** Changes with the content; for `ifMatch`. */
  etag: string;
}

/** What is known of an object that is not read. */
export interface ListedObject {
  key: string;
  /** In bytes. */
  size: number;
  /** ISO 8601 */
  writtenAt: string;
}

interface PutCondition {
  /** Only if there is no object of that key. */
  ifAbsent?: boolean;
  /** Only if the object still is the one of this etag. */
  ifMatch?: string;
}

/**
 * Where things lie that outlive Temporal's histories. Keys are in `model/object-keys.ts`. Every method may throw
 * ObjectStoreError.
 */
export interface ObjectStore {
  /**
   * undefined: there is none of that key.
   *
   * @param part so many of its last bytes, or what comes after so many of its first
   */
  get(key: string, part?: { last: number } | { after: number }): Promise<StoredObject | undefined>;
  /** @returns false when the condition did not hold, and nothing was written */
  put(key: string, body: string, condition?: PutCondition): Promise<boolean>;
  /** Those whose keys begin so, in order, at most `limit`. */
  list(prefix: string, limit: number): Promise<ListedObject[]>;
}

/**
 * An object as JSON of a known shape.
 *
 * @throws Error naming the key, when somebody wrote something else there
 */
export async function getJson<T>(
  store: ObjectStore,
  key: string,
  schema: z.ZodType<T>,
): Promise<{ value: T; etag: string } | undefined> {
  const found = await store.get(key);
  if (!found) return undefined;
  const parsed = schema.safeParse(parseJson(found.body));
  if (parsed.success) return { value: parsed.data, etag: found.etag };
  throw new Error(
    `${key} in the object store is not what this program writes there. Move it away, then try again.`,
  );
}
