// Passwords, keys and tokens of the local stack: random, made once, readable by their owner only.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { secretsDirectory } from './paths.ts';

export const secretFile = (name: string): string => join(secretsDirectory, name);

/** The secret of that name, made on first use: 40 hexadecimal digits. */
export function secret(name: string): string {
  return storedSecret(name) ?? keepSecret(name, randomBytes(20).toString('hex'));
}

export function storedSecret(name: string): string | undefined {
  return existsSync(secretFile(name)) ? readFileSync(secretFile(name), 'utf8').trim() : undefined;
}

export function keepSecret(name: string, value: string): string {
  writePrivately(secretFile(name), `${value}\n`);
  return value;
}

/** Write a file that only its owner may read, whole or not at all. */
export function writePrivately(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
