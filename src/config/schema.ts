import { z } from 'zod';
import { nameSchema } from '../model/names.ts';
import { duration } from './duration.ts';

/** A secret is never in the file: `env:NAME` or `file:/path` says where it is. */
const secretReference = z
  .string()
  .regex(
    /^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+)$/,
    'a secret is named by env:NAME or file:/path, never written here',
  );

/** No credentials in it, and no transport that runs commands (`ext::`) or reads this machine's files. */
const url = z.url({ protocol: /^https?$/, error: 'an http:// or https:// URL' }).refine((text) => {
  const { username, password } = new URL(text);
  return username === '' && password === '';
}, 'credentials do not belong into a URL: use token');

/** Git's own rules allow branches that look like options or commits; these are left out. */
const branch = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/,
    'letters, digits, dots, dashes and slashes, beginning with a letter or digit',
  )
  .refine((name) => !/^[0-9a-f]{40}$|^HEAD$|\.\.|\/\/|\/$|\.lock$/.test(name), 'no name of a branch');

/** A path inside the repository. */
const path = z
  .string()
  .regex(/^[A-Za-z0-9._*{}/-]+$/, 'letters, digits, dots, dashes and slashes')
  .refine(
    (text) => !text.startsWith('/') && !text.split('/').includes('..'),
    'a path inside the repository, without ..',
  );

const caFile = z
  .string()
  .startsWith('/', 'an absolute path')
  .describe('File with the CA of a private endpoint.');
const command = z.array(z.string().min(1)).min(1).describe('A command and its arguments; no shell reads it.');
const perService = path.refine((text) => text.includes('{service}'), '{service} must be in it');

const repository = z.strictObject({
  url,
  branch: branch.default('main'),
  token: secretReference.optional(),
  caFile: caFile.optional(),
});

const forge = z.strictObject({
  kind: z.enum(['gitea', 'github']),
  url,
  token: secretReference,
  webhookSecret: secretReference.optional(),
  deliverOnPush: z
    .boolean()
    .default(false)
    .describe('Whether a push to the branch starts deliveries by itself.'),
  caFile: caFile.optional(),
});

const registry = z.strictObject({
  image: z
    .string()
    .regex(/^[a-z0-9.-]+(:[0-9]+)?(\/[a-z0-9._{}-]+)+$/, 'host/path of an image, without tag')
    .refine((text) => text.includes('{service}'), '{service} must be in it'),
  insecure: z.boolean().default(false).describe('Plain HTTP.'),
  allowed: z.array(z.string()).default([]).describe('Other image names that `deliver --image` may bring.'),
  login: z.strictObject({ username: z.string(), password: secretReference }).optional(),
  caFile: caFile.optional(),
});

const objects = z.strictObject({
  endpoint: url.optional().describe('Of an S3 that is not AWS.'),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'name of a bucket'),
  region: z.string().default('us-east-1'),
  accessKeyId: secretReference.optional(),
  secretAccessKey: secretReference.optional(),
  caFile: caFile.optional(),
});

const explicitService = z.strictObject({
  path: path.describe('Folder of its source.'),
  paths: z.array(path).default([]).describe('Other paths that belong to it.'),
  image: z.boolean().default(true),
  test: command.optional(),
});

const services = z.strictObject({
  discover: z.array(path).default([]).describe('A folder with a Dockerfile is a service of that name.'),
  test: command.optional(),
  testTimeout: duration({ least: '10s', most: '2h' }).default('30m'),
  buildTimeout: duration({ least: '10s', most: '2h' }).default('30m'),
  shared: z.array(path).default([]).describe('A change here touches every discovered service.'),
  explicit: z.record(nameSchema, explicitService).default({}),
});

const approval = z.union([
  z.enum(['none', 'review']),
  z.strictObject({
    quorum: z.int().min(1).max(20),
    expiresAfter: duration({ least: '1m', most: '30d' }).default('24h'),
  }),
]);

const endToEnd = z.strictObject({
  command,
  env: z.record(z.string().regex(/^[A-Z_][A-Z0-9_]*$/), z.string()).default({}),
  timeout: duration({ least: '10s', most: '2h' }).default('15m'),
});

const environment = z.strictObject({
  name: nameSchema,
  namespace: z.string().optional(),
  application: perService.default('{service}-{environment}'),
  entersBy: z.enum(['push', 'pull-request']).default('pull-request'),
  approval: approval.default('none'),
  sync: z.enum(['automated', 'manual']).default('automated'),
  // Longer than the 600 s that Kubernetes gives a Deployment to make progress.
  healthy: duration({ least: '10s', most: '6h' }).default('15m'),
  review: duration({ least: '1m', most: '30d' }).default('7d'),
  endToEnd: endToEnd.optional(),
});

const person = z.strictObject({
  forge: z.string().optional().describe('Login at the forge.'),
  emails: z.array(z.email()).default([]).describe('Authors of these addresses are this person (four eyes).'),
  decides: z.boolean().default(true),
});

/** Shape of `gitops.yaml`. */
export const configSchema = z
  .strictObject({
    platform: nameSchema,
    repository,
    forge,
    registry,
    objects,
    argocd: z.strictObject({ namespace: z.string().default('argocd') }).prefault({}),
    manifests: perService.describe('Folder with base/ and overlays/<environment>/ of a service.'),
    services,
    environments: z.array(environment).min(1),
    identity: z.literal('trusted-namespace').optional(),
    people: z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/), person).default({}),
  })
  .superRefine(crossRules);

export type Config = z.infer<typeof configSchema>;
export type EnvironmentConfig = Config['environments'][number];

function crossRules(config: z.infer<typeof configSchema>, context: z.RefinementCtx): void {
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  const names = config.environments.map(({ name }) => name);
  const deciders = Object.values(config.people).filter(({ decides }) => decides).length;

  for (const [index, { name, entersBy, approval }] of config.environments.entries()) {
    const at = (key: string) => ['environments', index, key];
    if (names.indexOf(name) !== index) problem(at('name'), `there are two environments ${name}`);
    if (entersBy === 'push' && approval !== 'none') {
      problem(at('approval'), 'nobody can approve a push: set entersBy to pull-request');
    }
    if (typeof approval === 'string') continue;
    if (config.identity === undefined) {
      problem(
        at('approval'),
        'decisions are named by whoever sends them; if you trust all who reach the Temporal namespace, write identity: trusted-namespace',
      );
    }
    if (approval.quorum > deciders) {
      problem(at('approval'), `${approval.quorum} must approve, but only ${deciders} of people may decide`);
    }
  }
  const { discover, explicit } = config.services;
  if (discover.length === 0 && Object.keys(explicit).length === 0) {
    problem(['services'], 'no service: name folders in discover, or services in explicit');
  }
}
