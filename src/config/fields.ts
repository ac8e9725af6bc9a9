import { z } from 'zod';

/** A secret is never in the file: `env:NAME` or `file:/path` says where it is. */
export const secretReference = z
  .string()
  .regex(
    /^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+)$/,
    'a secret is named by env:NAME or file:/path, never written here',
  );

/** No credentials in it, and no transport that runs commands (`ext::`) or reads this machine's files. */
export const url = z
  .url({ protocol: /^https?$/, error: 'takes an http:// or https:// URL' })
  // Others are read in two ways: a backslash ends the host here, and is part of it for Git.
  .regex(/^[\w.~:/?#[\]@!$&'()*+,;=%-]+$/, 'has characters that no URL has')
  .refine((text) => {
    const { username, password } = URL.parse(text) ?? { username: '', password: '' };
    return username === '' && password === '';
  }, 'credentials do not belong into a URL, which others read in logs: use a secret reference beside it');

/** Git's own rules allow branches that look like options or commits; these are left out. */
export const branch = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/,
    'a branch has letters, digits, dots, dashes and slashes here, and begins with a letter or digit',
  )
  .refine(
    (name) => !/^[0-9a-f]{40}$|^HEAD$|^refs\/|\.\.|\/[/.]|[/.]$|\.lock($|\/)/i.test(name),
    'looks like a commit or is no name for a branch, which goes without refs/heads/',
  );

const insideTheRepository = (text: string): boolean =>
  !text.startsWith('/') && !text.split('/').some((part) => ['', '.', '..'].includes(part));
const inside = 'a path inside the repository: relative, without ./, .. or a slash at its end';

/** A folder or file in the repository. */
export const path = z
  .string()
  .regex(/^[A-Za-z0-9._/-]+$/, 'a path has letters, digits, dots, dashes and slashes')
  .refine(insideTheRepository, inside);

/** A folder in the repository, or all of it. */
export const folder = z.union(
  [z.literal('.'), path],
  'it takes a folder of the repository, or . for all of it',
);

/** Paths in the repository: `*` is any name, `**` any folders. */
export const glob = z
  .string()
  .regex(/^[A-Za-z0-9._*/-]+$/, 'a pattern has letters, digits, dots, dashes, slashes, * and **')
  .refine(insideTheRepository, inside);

/** Text that is filled in for each service (and environment); no other braces. */
export const template = (allowed: RegExp, what: string, ...placeholders: string[]) =>
  z
    .string()
    .refine(
      (text) => text.includes('{service}'),
      '{service} must be in it: each service needs one of its own',
    )
    .refine(
      (text) => allowed.test(placeholders.reduce((rest, name) => rest.replaceAll(`{${name}}`, 'x'), text)),
      `${what}, with ${placeholders.map((name) => `{${name}}`).join(' and ')} to be filled in`,
    );

/** A file on the machine of whoever reads it: relative ones begin where the configuration lies. */
export const file = z.string().regex(/^[^:?*\s]+$/, 'takes the path of a file');

/** A file, or where it is fetched from. */
export const fileOrUrl = z
  .string()
  .regex(
    /^(https:\/\/[\w.~:/?#[\]!$&'()*+,;=%-]+|[^:?*\s]+)$/,
    'takes the path of a file, or an https:// URL without credentials',
  );

export const bucket = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    'a bucket has 3 to 63 lower-case letters, digits, dots or dashes',
  );

/** Of Azure Blob Storage. */
export const container = z
  .string()
  .regex(
    /^[a-z0-9](-?[a-z0-9]){2,62}$/,
    'a container has 3 to 63 lower-case letters, digits or single dashes',
  );

export const caFile = z
  .string()
  .regex(/^\/./, 'an absolute path')
  .describe('PEM file with the certificate authority of a private endpoint.');

/** No shell reads it: each argument stands for itself. */
export const command = z.array(z.string().min(1, 'an argument is not empty')).min(1);

/** What Kubernetes takes as the name of a namespace. */
export const namespace = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'a namespace has 1 to 63 lower-case letters, digits or dashes',
  );

/** What Kubernetes takes as the name of most objects. */
export const kubernetesName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
    'a name in Kubernetes has lower-case letters, digits, dots or dashes',
  );

export const personName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a person has up to 64 letters, digits, dots or dashes');

/** As commits have it: Git makes up `anna@buildhost` and `anna@laptop.(none)` for who sets none. */
export const email = z
  .string()
  .regex(/^[^\s<>@]+@[^\s<>@]+$/, 'takes an e-mail address as commits have it: anna@example.com, anna@host');

export const schedule = z
  .string()
  .regex(/^(\S+ ){4}\S+$/, 'a schedule has the five fields of cron: 0 2 * * *');

export const timeZone = z
  .string()
  .refine((name) => isTimeZone(name), 'a time zone is called as in the IANA database: Asia/Riyadh, UTC');

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
