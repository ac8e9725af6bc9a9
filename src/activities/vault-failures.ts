import { KubernetesError } from '../systems/kubernetes/index.ts';
import { WrongKey } from '../systems/backups/seal.ts';
import { VaultError } from '../systems/backups/vault.ts';
import { refused } from './failures.ts';

/** Does some work on backups; what no other attempt mends is refused, so that somebody hears of it at once. */
export async function withVault<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isLasting(error) ? refused(error.message) : error;
  }
}

function isLasting(error: unknown): error is Error {
  if (error instanceof VaultError) return error.lasting;
  if (error instanceof KubernetesError) return [401, 403].includes(error.status);
  return error instanceof WrongKey;
}
