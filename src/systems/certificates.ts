import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

/**
 * Lets every TLS connection of this process trust the CA of a private endpoint too, `fetch` included, which takes none
 * of its own. Each file counts once.
 *
 * @throws Error naming the file, when it cannot be read
 */
export function trustCertificates(caFile: string): void {
  const pem = read(caFile);
  const trusted = getCACertificates('default');
  if (!trusted.includes(pem)) setDefaultCACertificates([...trusted, pem]);
}

function read(caFile: string): string {
  try {
    return readFileSync(caFile, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`The caFile ${caFile} cannot be read: ${why}. Set it to a file of PEM certificates.`, {
      cause: error,
    });
  }
}
