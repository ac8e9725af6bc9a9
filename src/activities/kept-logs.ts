import { errorText } from '../systems/system-error.ts';
import type { KeepLog } from '../systems/kubernetes/pods.ts';
import type { ObjectStore } from '../systems/objects/index.ts';

/**
 * Keeps what containers wrote in the object store, and tells where: health data turns up in logs, and what an error says
 * lies in Temporal's histories. One that cannot be stored is said to be lost, and costs the others no time: an error
 * without its log is worth more than none.
 *
 * @param keyOf the key for what a container of that name wrote
 */
export function keptLogs(objects: ObjectStore, keyOf: (container: string) => string) {
  const logs: string[] = [];
  let broken: string | undefined;

  const keep: KeepLog = async (container, text) => {
    const key = keyOf(container);
    try {
      if (broken === undefined) await objects.put(key, text);
    } catch (error) {
      broken = errorText(error);
    }
    if (broken !== undefined) return `could not be stored as ${key}: ${broken}`;
    logs.push(key);
    return key;
  };
  return { keep, logs };
}
