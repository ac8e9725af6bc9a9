import { WrongManifest } from '../../systems/argocd/manifest.ts';
import { refused, withVault } from '../failures.ts';

/** Does some of a recreation; what no other attempt mends is refused, so that somebody hears of it at once. */
export const withRefusals = <T>(work: () => Promise<T>): Promise<T> =>
  withVault(async () => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof WrongManifest ? refused(error.message) : error;
    }
  });
