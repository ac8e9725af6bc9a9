import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { BlobClient, ContainerClient, RestError } from '@azure/storage-blob';
import { certificateAdvice } from '../network/certificates.ts';
import { lazily } from '../lazily.ts';
import { retry } from './retry.ts';
import {
  type Retention,
  stillLocked,
  explainingErrors,
  textBody,
  BackupStoreError,
  type Body,
  type BackupStore,
} from './index.ts';

export interface AzureOptions {
  /** `https://<account>.blob.core.windows.net`, or where an emulator has the account. */
  endpoint: string;
  container: string;
  /** A SAS, an account's key, or a connection string with one of them. Without it: what DefaultAzureCredential finds. */
  credential?: string;
}

/** A silence this long is an outage; how long a large blob takes is not limited. */
const silenceMs = 60_000;

/** Azure's SDK takes half a second to load: only who needs it waits for it. */
export async function createContainerClient(options: AzureOptions): Promise<ContainerClient> {
  const { endpoint, container, credential } = options;
  const sdk = await import('@azure/storage-blob');
  const url = `${endpoint.replace(/\/+$/, '')}/${container}`;
  // Each attempt is ours: the SDK does not tell whether a write was its first.
  const once = { retryOptions: { maxTries: 1 } };
  if (credential === undefined) {
    const { DefaultAzureCredential } = await import('@azure/identity');
    return new sdk.ContainerClient(url, new DefaultAzureCredential(), once);
  }
  const part = (name: string) => new RegExp(`(?:^|;)${name}=([^;]+)`).exec(credential)?.[1];
  const sas = part('SharedAccessSignature') ?? (/(^|[?&])sig=/.test(credential) ? credential : undefined);
  if (sas !== undefined) {
    return new sdk.ContainerClient(`${url}?${sas.replace(/^\?/, '')}`, new sdk.AnonymousCredential(), once);
  }
  const key = part('AccountKey') ?? credential;
  return new sdk.ContainerClient(url, new sdk.StorageSharedKeyCredential(accountOf(endpoint), key), once);
}

/** An emulator has one host for all accounts: there the path begins with the account. */
export function accountOf(endpoint: string): string {
  const { hostname, pathname } = new URL(endpoint);
  return pathname.split('/')[1] || (hostname.split('.')[0] ?? '');
}

/**
 * Backups in a container of Azure Blob Storage with version-level immutability, whose default policy locks what is put
 * there. A blob arrives as it was read or not at all: one Put Blob with its MD5, which the service compares with what it
 * received before it commits (https://learn.microsoft.com/rest/api/storageservices/put-blob).
 *
 * @param lock how strictly; a policy that may still be taken away is no lock where `compliance` is asked for
 */
export function createAzureBackupStore(options: AzureOptions, lock: Retention['lock']): BackupStore {
  const container = lazily(() => createContainerClient(options));

  async function blob(key: string, version?: string): Promise<BlobClient> {
    const current = (await container()).getBlobClient(key);
    return version === undefined ? current : current.withVersion(version);
  }

  async function ask<T>(attempt: (earlier: number) => Promise<T>): Promise<T> {
    try {
      return await retry(attempt, isLasting);
    } catch (error) {
      throw explain(error, options);
    }
  }

  /** @returns undefined where there is no such blob */
  const find = <T>(attempt: () => Promise<T>): Promise<T | undefined> =>
    ask(async () => {
      try {
        return await attempt();
      } catch (error) {
        if (statusOf(error) === 404 && codeOf(error) !== 'ContainerNotFound') return undefined;
        throw error;
      }
    });

  async function write(key: string, body: Body, conditions: { ifNoneMatch?: '*' }) {
    const transactionalContentMD5 = await md5Of(body);
    const blobContentType = key.endsWith('.json') ? 'application/json' : 'application/octet-stream';
    return ask(async (earlier) => {
      try {
        const client = (await container()).getBlockBlobClient(key);
        const { versionId } = await client.upload(() => body.open(), body.size, {
          conditions,
          transactionalContentMD5,
          blobHTTPHeaders: { blobContentType },
          ...untilSilent(),
        });
        return versionId;
      } catch (error) {
        // An earlier attempt wrote it, and its answer was lost.
        if (earlier > 0 && isThere(error)) return undefined;
        throw error;
      }
    });
  }

  return {
    putOnce: (key, body) => write(key, body, { ifNoneMatch: '*' }),

    async put(key, text) {
      await write(key, textBody(text), {});
    },

    async read(key, version) {
      const found = await find(async () => (await blob(key, version)).download(0, undefined, untilSilent()));
      return (
        found && explainingErrors(found.readableStreamBody as Readable, (error) => explain(error, options))
      );
    },

    list: (prefix) =>
      ask(async () => {
        const keys: string[] = [];
        const blobs = (await container()).listBlobsFlat({ prefix, ...untilSilent() });
        for await (const { name } of blobs) keys.push(name);
        return keys;
      }),

    // A legal hold has no end, and goes whenever somebody clears it: it is not counted.
    async lockedUntil(key, version) {
      const found = await find(async () => (await blob(key, version)).getProperties(untilSilent()));
      const { immutabilityPolicyExpiresOn: until, immutabilityPolicyMode: mode } = found ?? {};
      return mode === 'Locked' || lock === 'governance' ? stillLocked(until) : undefined;
    },
  };
}

/** Aborts a request that has neither sent nor received anything for long: the SDK itself would wait for ever. */
export function untilSilent(): { abortSignal: AbortSignal; onProgress: () => void } {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), silenceMs).unref();
  return { abortSignal: silence.signal, onProgress: () => timer.refresh() };
}

async function md5Of(body: Body): Promise<Uint8Array> {
  const hash = createHash('md5');
  for await (const chunk of body.open()) hash.update(chunk as Buffer);
  return hash.digest();
}

const isAnswer = (error: unknown): error is RestError => error instanceof Error && error.name === 'RestError';

const statusOf = (error: unknown): number | undefined => (isAnswer(error) ? error.statusCode : undefined);

/** As the service names it; an answer to HEAD has it in a header only. */
export function codeOf(error: unknown): string | undefined {
  if (!isAnswer(error)) return undefined;
  return error.code ?? error.response?.headers.get('x-ms-error-code');
}

/** Whether the blob is there. The second code is what those get who may only create. */
const isThere = (error: unknown): boolean =>
  statusOf(error) === 412 || ['BlobAlreadyExists', 'UnauthorizedBlobOverwrite'].includes(codeOf(error) ?? '');

/** Whether another attempt would fail too: not after overload, damage on the way or a lost connection. */
function isLasting(error: unknown): boolean {
  const status = statusOf(error) ?? 500;
  return status >= 400 && status < 500 && ![408, 429].includes(status) && codeOf(error) !== 'Md5Mismatch';
}

/** What failed, where, and what to change. */
export function explain(error: unknown, { endpoint, container }: AzureOptions): BackupStoreError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const [line = ''] = message.split('\n');
  const why = `${codeOf(error) ?? name}: ${line.trim().replace(/\.$/, '')}`;
  return new BackupStoreError(
    `The store of the backups (container ${container} at ${endpoint}) answered ${why}.`,
    {
      lasting: isLasting(error),
      advice: adviceOn(error),
      unreachable: statusOf(error) === undefined,
      // Not the error itself: it holds the request, and that the SAS.
    },
  );
}

function adviceOn(error: unknown): string {
  if (codeOf(error) === 'ContainerNotFound') return 'Run: gitops setup';
  const isUnknown = error instanceof Error && /Credential|Authentication/.test(error.name);
  if (isUnknown) return 'Set backup.credential, or give this process an identity that Azure knows.';
  return (
    certificateAdvice(error, 'backup.caFile') ??
    'See backup in gitops.yaml, and the rights of its credentials.'
  );
}
