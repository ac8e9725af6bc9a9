import { objectKeys } from '../model/object-keys.ts';
import { SystemError } from '../systems/system-error.ts';
import { objectStoreOf } from '../wiring/object-store.ts';
import { failed, ok, type Check } from './check.ts';

const key = objectKeys.owner;

/** Whether the object store is this platform's, keeps what is written, and refuses a write whose condition does not hold. */
export const objects: Check = {
  name: 'object store',
  async *look({ config }) {
    const { platform } = config;
    const { bucket } = config.objects;
    const store = objectStoreOf(config);
    const owner = (await store.get(key))?.body ?? platform;
    if (owner !== platform) {
      yield failed(
        'object store',
        `Bucket ${bucket} is the platform ${owner}'s: what the two store would mix.`,
        `Give ${platform} a bucket of its own; or remove ${key} if ${owner} is gone, with all that it stored.`,
      );
      return;
    }
    await store.put(key, platform);
    const found = await store.get(key);
    if (found?.body !== platform) {
      throw new SystemError(`${key} reads otherwise than it was written.`, {
        advice: 'Use a store that is consistent at once.',
      });
    }
    if (await store.put(key, platform, { ifAbsent: true })) {
      throw new SystemError('It overwrites an object although it was told to write only a new one.', {
        advice: 'Use a store that honours If-None-Match and If-Match: side by side, attempts rely on it.',
      });
    }
    await store.list('doctor/', 1);
    yield ok('object store', `Bucket ${bucket} takes and gives ${key}.`);
  },
};
