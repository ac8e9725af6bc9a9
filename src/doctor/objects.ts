import { SystemError } from '../systems/system-error.ts';
import { objectStoreOf } from '../worker/object-store.ts';
import { ok, type Check } from './check.ts';

const key = 'doctor/probe.txt';
const body = 'Written by gitops doctor, which may be removed.';

/** Whether the object store keeps what is written, and refuses a write whose condition does not hold. */
export const objects: Check = {
  name: 'object store',
  async *look({ config }) {
    const store = objectStoreOf(config);
    await store.put(key, body);
    const found = await store.get(key);
    if (found?.body !== body) {
      throw new SystemError(`${key} reads otherwise than it was written.`, {
        advice: 'Use a store that is consistent at once.',
      });
    }
    if (await store.put(key, body, { ifAbsent: true })) {
      throw new SystemError('It overwrites an object although it was told to write only a new one.', {
        advice: 'Use a store that honours If-None-Match and If-Match: side by side, attempts rely on it.',
      });
    }
    await store.list('doctor/', 1);
    yield ok('object store', `Bucket ${config.objects.bucket} takes and gives ${key}.`);
  },
};
