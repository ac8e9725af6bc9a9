import { readFileSync } from 'node:fs';
import type { Path } from './yaml-positions.ts';

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

/** Whether it can be read here. */
export function isReadable(reference: string): boolean {
  try {
    return readSecret(reference) !== '';
  } catch {
    return false;
  }
}

/** Keys whose values are plain text, whatever they look like: what tests and builds are given. */
const plain = new Set(['env', 'buildArgs']);

/** The secrets that a configuration, or a part of it, names. */
export function secretsIn(value: unknown, path: Path = []): { path: Path; reference: string }[] {
  if (typeof value === 'string') {
    return /^(env:[A-Za-z_]\w*|file:\/.+)$/.test(value) ? [{ path, reference: value }] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const key = (name: string) => (Array.isArray(value) ? Number(name) : name);
  return Object.entries(value)
    .filter(([name]) => !plain.has(name))
    .flatMap(([name, child]) => secretsIn(child, [...path, key(name)]));
}
