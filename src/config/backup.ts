import { z } from 'zod';
import { nameSchema } from '../model/names.ts';
import { duration } from './duration.ts';
import { bucket, caFile, container, namespace, schedule, secretReference, timeZone, url } from './fields.ts';

/** The public half of an age identity (https://age-encryption.org/v1), or where it is. */
const recipient = z
  .string()
  .regex(
    /^(age1[a-z0-9]{20,2500}|env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+)$/,
    'a recipient begins with age1, or env:NAME or file:/path says where one is; AGE-SECRET-KEY-… never stands here',
  );

export const backup = z
  .strictObject({
    cluster: nameSchema.describe('What the cluster is called in the backups: the one that KUBECONFIG names.'),
    bucket: bucket.optional().describe('Of S3; of its own, with Object Lock; gitops setup makes it.'),
    container: container
      .optional()
      .describe('Of Azure Blob Storage, instead of a bucket; with version-level immutability.'),
    endpoint: url
      .optional()
      .describe(
        'Of an S3 that is not AWS; or of a storage account: https://<account>.blob.core.windows.net.',
      ),
    region: z.string().min(1).default('us-east-1'),
    accessKeyId: secretReference
      .optional()
      .describe('Of the writer, who may put objects and nothing else. Without it: what the AWS SDK finds.'),
    secretAccessKey: secretReference.optional(),
    credential: secretReference
      .optional()
      .describe(
        "Of a container's writer: a SAS that may create and nothing else. Without it: what the Azure SDK finds.",
      ),
    caFile: caFile.optional(),
    recipients: z
      .array(recipient)
      .min(1)
      .describe('age recipients: each of their identities opens a backup.'),
    recovery: z
      .strictObject({
        identity: secretReference.describe('age identity (AGE-SECRET-KEY-…) that opens the backups.'),
        accessKeyId: secretReference
          .optional()
          .describe('Of the reader, who may also put verdicts. Without it: what the AWS SDK finds.'),
        secretAccessKey: secretReference.optional(),
        credential: secretReference
          .optional()
          .describe("Of a container's reader: a SAS that may read, list and write verdicts."),
      })
      .describe('What workers of the queue recovery have, and no others.'),
    schedule: schedule.default('0 2 * * *').describe('When, as cron says it.'),
    timeZone: timeZone.default('UTC').describe('Of the schedule.'),
    keepDays: z.int().min(1).max(3650).default(90).describe('How long backups are locked, and then removed.'),
    lock: z
      .enum(['compliance', 'governance'])
      .default('compliance')
      .describe('Who may remove one earlier: nobody; or who has the right to bypass governance.'),
    smallestShare: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe(
        'Of the objects of a kind that the last good backup had; with fewer it is not counted as good.',
      ),
    oldestAllowed: duration({ least: '1h', most: '30d' })
      .default('26h')
      .describe('Older than this, the newest good backup is an alarm.'),
    sealingKeys: namespace
      .default('kube-system')
      .describe('Where the sealed-secrets controller keeps its keys; where there are none, none are taken.'),
  })
  .describe('The nightly backup of Argo CD.');
