import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { execa } from 'execa';
import { vi } from 'vitest';
import { httpProxy, type Answer } from './http-proxy.ts';

/** The account of every Azurite, with the key that its documentation publishes. */
const account = 'devstoreaccount1';
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** Microsoft's emulator of Azure Blob Storage, in a process and a folder of its own. */
export async function startAzurite() {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-azurite-'));
  const where = ['--blobHost', '127.0.0.1', '--blobPort', '0', '--location', folder];
  const quiet = ['--silent', '--disableTelemetry', '--skipApiVersionCheck'];
  const options = { reject: false, stdin: 'ignore', preferLocal: true } as const;
  const child = execa('azurite-blob', [...where, ...quiet], options);
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  const origin = await vi.waitFor(
    () => {
      const [, found] = /listens on (http:\S+)/.exec(said) ?? [];
      if (found === undefined) throw new Error(`Azurite says: ${said}`);
      return found;
    },
    { timeout: 30_000 },
  );
  const endpoint = `${origin}/${account}`;
  const shared = new StorageSharedKeyCredential(account, key);
  const service = new BlobServiceClient(endpoint, shared);
  return {
    endpoint,
    connectionString: `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${endpoint};`,
    service,
    /** @param permissions as Azure writes them: `c` may create, `r` read, `l` list, `w` write */
    async sas(container: string, permissions: string): Promise<string> {
      const expiresOn = new Date(Date.now() + 3_600_000);
      const url = await service
        .getContainerClient(container)
        .generateSasUrl({ permissions: { toString: () => permissions } as never, expiresOn });
      return new URL(url).search;
    },
    async close() {
      child.kill('SIGTERM');
      await child;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Version {
  id: string;
  body: Buffer;
  created: number;
}

/**
 * What Azurite lacks and Azure has: versions, and a default policy that locks each for 90 days
 * (https://learn.microsoft.com/azure/storage/blobs/immutable-version-level-worm-policies). The headers are those of the
 * REST API: what is misspelt here, Microsoft's SDK does not see.
 */
export async function withLockedVersions(azurite: string) {
  const policy: { mode: 'Locked' | 'Unlocked' } = { mode: 'Locked' };
  const versions = new Map<string, Version[]>();
  const of = (path: string) => versions.get(path) ?? [];

  const locked = (answer: Answer, { id, created }: Version): Answer => ({
    ...answer,
    headers: {
      ...answer.headers,
      'x-ms-version-id': id,
      'x-ms-immutability-policy-until-date': new Date(created + 90 * 86_400_000).toUTCString(),
      'x-ms-immutability-policy-mode': policy.mode,
    },
  });

  const proxy = await httpProxy(new URL(azurite), async (asked, pass) => {
    const url = new URL(asked.url, azurite);
    const { pathname, searchParams } = url;
    const wanted = searchParams.get('versionid');
    searchParams.delete('versionid');
    const answer = await pass({ ...asked, url: `${pathname}${url.search}` });
    if (answer.status === 403 && asked.method === 'PUT' && of(pathname).length > 0) {
      // As Azure calls it when who may only create finds that there is one.
      return { ...answer, ...failure('UnauthorizedBlobOverwrite') };
    }
    if (answer.status >= 300) return answer;
    if (searchParams.get('restype') === 'container' && !searchParams.has('comp')) {
      const protection = {
        'x-ms-has-immutability-policy': 'true',
        'x-ms-immutable-storage-with-versioning-enabled': 'true',
      };
      return { ...answer, headers: { ...answer.headers, ...protection } };
    }
    if (asked.method === 'PUT' && !searchParams.has('restype') && !searchParams.has('comp')) {
      const created = Date.now();
      const id = new Date(created).toISOString().replace('Z', `${1000 + of(pathname).length}Z`);
      versions.set(pathname, [...of(pathname), { id, body: asked.body, created }]);
      return { ...answer, headers: { ...answer.headers, 'x-ms-version-id': id } };
    }
    const newest = of(pathname).at(-1);
    const version = wanted === null ? newest : of(pathname).find(({ id }) => id === wanted);
    if (!version) return wanted === null ? answer : { status: 404, ...failure('BlobNotFound') };
    if (version === newest) return locked(answer, version);
    const { 'content-md5': _, ...headers } = answer.headers;
    const length = { 'content-length': String(version.body.length) };
    return locked({ ...answer, headers: { ...headers, ...length }, body: version.body }, version);
  });
  return { ...proxy, policy };
}

const failure = (code: string) => ({
  headers: { 'content-type': 'application/xml', 'x-ms-error-code': code },
  body: Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`),
});
