import { inspect } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { createAzureBackupStore, createContainerClient } from './azure.ts';
import { BackupStoreError } from './index.ts';

const where = { endpoint: 'https://bakery.blob.core.windows.net', container: 'backups' };
const sas = 'sv=2026-02-06&sr=c&sp=c&sig=abc%3D';

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  [sas, `?${sas}`],
  [`?${sas}`, `?${sas}`],
  [`BlobEndpoint=https://bakery.blob.core.windows.net;SharedAccessSignature=${sas}`, `?${sas}`],
  ['a2V5', ''],
  ['DefaultEndpointsProtocol=https;AccountName=bakery;AccountKey=a2V5;EndpointSuffix=core.windows.net', ''],
])('a credential is a SAS, a key, or a connection string with one of them: %s', async (credential, query) => {
  const { url, accountName } = await createContainerClient({ ...where, credential });
  expect(url).toBe(`https://bakery.blob.core.windows.net/backups${query}`);
  expect(accountName).toBe('bakery');
});

test('a process that Azure does not know says so, and what to set', async () => {
  vi.stubEnv('AZURE_TOKEN_CREDENTIALS', 'WorkloadIdentityCredential');
  const listing = createAzureBackupStore(where, 'compliance').list('argocd/');
  await expect(listing).rejects.toThrow(BackupStoreError);
  await expect(listing).rejects.toThrow(
    /container backups at https:.*CredentialUnavailable.*Set backup.credential, or/,
  );
});

test('nothing that is said of a failure shows a SAS', async () => {
  const endpoint = 'http://127.0.0.1:1/bakery';
  const store = createAzureBackupStore({ ...where, endpoint, credential: sas }, 'compliance');
  const error: unknown = await store.read('argocd/key').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ unreachable: true, lasting: false });
  const all = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error);
  expect(all).toContain('ECONNREFUSED');
  expect(all).not.toContain('abc');
});
