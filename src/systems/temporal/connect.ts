import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { Logger } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { errorText, SystemError } from '../system-error.ts';
import type { PayloadKey } from './codec.ts';
import { clientConverter } from './data-converter.ts';

/** A connection takes milliseconds; when there is none after this long, nobody is there. */
const connectTimeout = '5 seconds';

/** Address, namespace, TLS and API key by the ecosystem's convention: TEMPORAL_ADDRESS, TEMPORAL_PROFILE, a TOML file. */
export function connectionSettings() {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const { address = 'localhost:7233', apiKey, tls, metadata } = connectionOptions;
  return {
    namespace,
    options: {
      address,
      ...(apiKey !== undefined && { apiKey }),
      ...(tls != null && { tls }),
      ...(metadata && { metadata }),
    },
  };
}

/**
 * @param keys what payloads are encrypted with, the first, and decrypted
 * @throws SystemError that names the address
 */
export async function connectClient(keys: readonly PayloadKey[] = []): Promise<Client> {
  const { namespace, options } = connectionSettings();
  try {
    const connection = await Connection.connect({ ...options, connectTimeout });
    return new Client({ connection, namespace, dataConverter: clientConverter(keys) });
  } catch (error) {
    const why = errorText(error);
    throw new SystemError(`Temporal cannot be reached at ${options.address} (${why}).`, {
      advice: 'Start it, or say where it is: TEMPORAL_ADDRESS.',
      unreachable: true,
      cause: error,
    });
  }
}

/** As long as a machine takes to boot: a worker or a server may be started before Temporal is. */
const patienceMs = 5 * 60_000;

/**
 * Connects, and tries again every two seconds until it works.
 *
 * @throws SystemError that names the address, after five minutes
 */
export async function connectPatiently(keys: readonly PayloadKey[], log: Logger): Promise<Client> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await connectClient(keys);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      log.warn('Temporal is not there yet; trying again', { reason: String(error) });
      await sleep(2000);
    }
  }
}
