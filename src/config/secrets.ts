import { readFileSync } from 'node:fs';

/**
 * The secret that a reference names.
 *
 * @param reference `env:NAME` or `file:/path`
 * @throws Error naming the reference, never the secret
 */
export function readSecret(reference: string): string {
  const [kind, ...rest] = reference.split(':');
  const where = rest.join(':');
  const secret = kind === 'env' ? process.env[where] : readFile(where, reference);
  if (secret === undefined || secret.trim() === '') {
    throw new Error(`The secret ${reference} is empty or not there. Set it where the worker runs.`);
  }
  return secret.trim();
}

function readFile(path: string, reference: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new Error(`The secret ${reference} cannot be read (${code}).`, { cause: error });
  }
}
