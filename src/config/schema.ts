import { z } from 'zod';
import { nameSchema } from '../model/names.ts';
import { backup } from './backup.ts';
import { codec } from './codec.ts';
import { duration } from './duration.ts';
import {
  branch,
  bucket,
  caFile,
  command,
  email,
  folder,
  glob,
  kubernetesName,
  namespace,
  path,
  personName,
  secretReference,
  template,
  url,
} from './fields.ts';
import { install, recreation } from './recreation.ts';
import { rules } from './rules.ts';
import { worker } from './worker.ts';

const cloneUrl = url.refine(
  (text) => /\/[\w.-]+\/[\w.-]+\/?$/.test(URL.parse(text)?.pathname ?? '') && !/[?#]/.test(text),
  'a clone URL ends in <owner>/<repository>.git',
);

const repository = z
  .strictObject({
    url: cloneUrl.describe('Where Git clones it from and pushes to.'),
    branch: branch.default('main').describe('The protected branch: commits on it are delivered.'),
    token: secretReference.optional().describe('Token that may push to the branch.'),
    caFile: caFile.optional(),
  })
  .describe('The Git repository that Argo CD deploys from.');

const forge = z
  .strictObject({
    kind: z.enum(['gitea', 'github']).describe('gitea is for Forgejo too, github for GitHub Enterprise too.'),
    url: url.describe('Where people open it: https://github.com.'),
    token: secretReference.describe('Token that may open and merge pull requests.'),
    webhookSecret: secretReference.optional().describe('What the forge signs its webhooks with.'),
    deliverOnPush: z
      .boolean()
      .default(false)
      .describe('Whether a push to the branch starts deliveries by itself, instead of CI by gitops deliver.'),
    caFile: caFile.optional(),
  })
  .describe('Where pull requests are opened, reviewed and merged.');

const imageName = /^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(\/[a-z0-9][a-z0-9._-]*)+$/;

const registry = z
  .strictObject({
    image: template(imageName, 'an image name is <host>/<path>, without tag', 'service').describe(
      "Name of a service's image, without tag, as its manifests have it.",
    ),
    insecure: z.boolean().default(false).describe('Whether it is reached by plain HTTP.'),
    allowed: z
      .array(z.string().regex(imageName, 'an image name is <host>/<path>, without tag'))
      .default([])
      .describe('Other images that gitops deliver --image may bring.'),
    login: z
      .strictObject({ username: z.string().min(1), password: secretReference })
      .optional()
      .describe('To push and to pull with.'),
    pullSecrets: z
      .array(kubernetesName)
      .default([])
      .describe(
        "Secrets that pods pull with: gitops doctor looks for them in every environment's namespace.",
      ),
    caFile: caFile.optional(),
  })
  .describe('Where images are pushed.');

const objects = z
  .strictObject({
    bucket,
    endpoint: url.optional().describe('Of an S3 that is not AWS.'),
    region: z.string().min(1).default('us-east-1'),
    accessKeyId: secretReference.optional().describe('Without it: what the AWS SDK finds by itself.'),
    secretAccessKey: secretReference.optional(),
    caFile: caFile.optional(),
  })
  .describe("S3 for what outlives Temporal's histories: states, logs, rendered diffs.");

const source = z.strictObject({
  repository: cloneUrl.describe('Where Git clones it from.'),
  branch: branch.default('main').describe('Its protected branch: commits on it are delivered.'),
  token: secretReference.optional().describe('Token that may read it. Default: none, as of a public one.'),
  caFile: caFile.optional(),
  base: path.optional().describe('Folder of its base in there. Default: the base/ beside its overlays.'),
});

const explicitService = z.strictObject({
  source: source
    .optional()
    .describe('The repository that its source is in. Default: the one that holds the manifests.'),
  path: folder.describe('Folder of its source.'),
  paths: z.array(glob).default([]).describe('What else belongs to it.'),
  image: z.boolean().default(true).describe('Whether an image is built for it.'),
  context: folder
    .optional()
    .describe('Folder that its image is built from. Default: as services.context says.'),
  dockerfile: path.optional().describe('From the root of the repository. Default: Dockerfile in its folder.'),
  target: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9._-]*$/, 'a stage begins with a letter: letters, digits, ., - and _')
    .optional()
    .describe('Stage of the Dockerfile that is its image. Default: the last.'),
  buildArgs: z
    .record(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'an argument has letters, digits and underscores'),
      z.string(),
    )
    .default({})
    .describe('What ARG takes in the Dockerfile: plain values, no secrets.'),
  test: command.optional().describe('Its test command, run in its folder.'),
});

const services = z
  .strictObject({
    discover: z
      .array(glob)
      .default([])
      .describe("Folders: each with a Dockerfile is a service of the folder's name."),
    explicit: z
      .record(nameSchema, explicitService)
      .default({})
      .describe('Services that are not found so, or differ from those that are.'),
    context: z
      .enum(['service', 'repository'])
      .default('service')
      .describe("What images are built from: each service's own folder, or the root of the repository."),
    shared: z.array(glob).default([]).describe('A change here is a change of every service.'),
    ignore: z.array(glob).default([]).describe('A change here is a change of no service.'),
    test: command
      .optional()
      .describe(
        "Test command, run in the service's folder. Without it: the Dockerfile's test target, if there is one.",
      ),
    testTimeout: duration({ least: '10s', most: '2h' }).default('30m'),
    buildTimeout: duration({ least: '10s', most: '2h' }).default('30m'),
  })
  .describe('What is delivered.');

const approval = z.union(
  [
    z.enum(['none', 'review']),
    z.strictObject({
      quorum: z.int().min(1).max(20).describe('How many different people must approve.'),
      expiresAfter: duration({ least: '1m', most: '30d' })
        .default('24h')
        .describe('How long they may take, and their decisions count.'),
    }),
  ],
  'none, review, or { quorum, expiresAfter }',
);

const endToEnd = z.strictObject({
  command: command.describe('Run at the root of a clean checkout of the delivered commit.'),
  services: z
    .array(glob)
    .min(1)
    .optional()
    .describe('Names of the services that it tests, * for any letters in them. Default: all.'),
  env: z
    .record(
      z
        .string()
        .regex(/^[A-Z_][A-Z0-9_]*$/, 'a variable is written in capitals')
        .regex(/^(?!GITOPS_)/, 'variables that begin with GITOPS_ are set by this program'),
      z.string(),
    )
    .default({})
    .describe('Its environment: plain values, no secrets.'),
  timeout: duration({ least: '10s', most: '2h' }).default('15m'),
});

const environment = z.strictObject({
  name: nameSchema,
  namespace: namespace.optional().describe('Where its pods run. Default: <platform>-<name>.'),
  application: template(
    /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/,
    "an Application's name has lower-case letters, digits, dots or dashes",
    'service',
    'environment',
  )
    .default('{service}-{environment}')
    .describe("Name of a service's Argo CD Application."),
  applicationNamespace: namespace
    .optional()
    .describe('Where those Applications lie. Default: argocd.namespace.'),
  entersBy: z
    .enum(['push', 'pull-request'])
    .default('pull-request')
    .describe('How a release is written: straight to the branch, or by a pull request.'),
  approval: approval
    .default('none')
    .describe('none; review: a review at the forge; or decisions of people with a quorum.'),
  sync: z
    .enum(['automated', 'manual'])
    .default('automated')
    .describe('manual: Argo CD does not sync by itself, the promotion does.'),
  // Longer than the 600 s that Kubernetes gives a Deployment to make progress.
  healthy: duration({ least: '10s', most: '6h' })
    .default('15m')
    .describe("How long from the release's commit until synced and healthy."),
  bake: duration({ least: '1s', most: '1h' })
    .optional()
    .describe('How long it has to stay healthy before that counts; absent: not at all.'),
  mayBeDegraded: z
    .record(
      z.string().regex(/^[A-Z][A-Za-z0-9]*$/, 'a kind is written as in its manifest: Certificate'),
      duration({ least: '30s', most: '6h' }),
    )
    .default({})
    .describe('By kind, how long an object may be Degraded after a sync before that fails a promotion.'),
  review: duration({ least: '1m', most: '30d' })
    .default('7d')
    .describe('How long people may take to review.'),
  whileAsked: z
    .enum(['wait', 'replace'])
    .default('wait')
    .describe('What a newer change does while people review an older one: it waits, or takes its place.'),
  endToEnd: endToEnd.optional().describe('A test once it is healthy; the next environment waits for it.'),
});

const person = z.strictObject({
  forge: z.string().min(1).optional().describe('Login at the forge.'),
  emails: z
    .array(email)
    .default([])
    .describe("Commits of these authors are this person's: nobody decides on commits of their own."),
  decides: z.boolean().default(true).describe('Whether this person may approve and reject.'),
});

/** Shape of `gitops.yaml`. */
export const configSchema = z
  .strictObject({
    platform: nameSchema.describe(
      'Prefix of workflow IDs and task queues: two platforms may share a namespace.',
    ),
    repository,
    forge,
    registry,
    objects,
    argocd: z
      .strictObject({ namespace: namespace.default('argocd'), install: install.optional() })
      .prefault({})
      .describe('Argo CD, in the cluster that KUBECONFIG names.'),
    manifests: template(
      /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/,
      'a path inside the repository: letters, digits, dots, dashes and slashes',
      'service',
    )
      .refine((text) => !text.split('/').some((part) => ['.', '..'].includes(part)), 'goes without . and ..')
      .describe('Folder with base/ and overlays/<environment>/ of a service.'),
    services,
    environments: z.array(environment).min(1).describe('In the order in which a change goes through them.'),
    temporal: z.strictObject({ codec: codec.optional() }).optional(),
    backup: backup.optional(),
    recreation: recreation.prefault({}),
    worker,
    identity: z
      .literal('trusted-namespace')
      .optional()
      .describe('Whoever reaches the Temporal namespace is trusted to say who they are.'),
    people: z
      .record(personName, person)
      .default({})
      .describe('Who may decide, and which commits are theirs.'),
  })
  .superRefine(rules);

export type Config = z.infer<typeof configSchema>;
export type EnvironmentConfig = Config['environments'][number];
