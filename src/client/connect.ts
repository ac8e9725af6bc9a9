import type { Client } from '@temporalio/client';
import { errorText } from '../systems/system-error.ts';
import type { PayloadKey } from '../systems/temporal/codec.ts';
import { connectClient } from '../systems/temporal/connect.ts';
import { GitopsError } from './errors.ts';

/**
 * @param keys what payloads are encrypted with, the first, and decrypted
 * @throws GitopsError `unreachable`
 */
export const connectTemporal = (keys?: readonly PayloadKey[]): Promise<Client> =>
  connectClient(keys).catch((error: unknown) => {
    throw new GitopsError('unreachable', errorText(error), { cause: error });
  });
