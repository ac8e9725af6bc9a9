import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { errorText } from '../system-error.ts';

const trustedFiles = new Set<string>();

/**
 * Lets every TLS connection of this process trust the CA of a private endpoint too, `fetch` included, which takes none
 * of its own. Each file counts once.
 *
 * @throws Error naming the file, when it cannot be read
 */
export function trustCertificates(caFile: string): void {
  if (trustedFiles.has(caFile)) return;
  setDefaultCACertificates([...getCACertificates('default'), read(caFile)]);
  trustedFiles.add(caFile);
}

/** What OpenSSL calls a certificate whose authority nobody here knows. */
const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * What to change when a connection failed because nobody here knows who signed the other side's certificate.
 *
 * @param key of `gitops.yaml`, such as `forge.caFile`
 */
export function certificateAdvice(error: unknown, key: string): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && untrusted.has(String(cause.code))) return caFileAdvice(key);
  }
  return undefined;
}

export const caFileAdvice = (key: string): string =>
  `Set ${key} in gitops.yaml to a PEM file of the authority that signed its certificate.`;

function read(caFile: string): string {
  try {
    return readFileSync(caFile, 'utf8');
  } catch (error) {
    const why = errorText(error);
    throw new Error(`The caFile ${caFile} cannot be read: ${why}. Set it to a file of PEM certificates.`, {
      cause: error,
    });
  }
}
