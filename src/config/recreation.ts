import { z } from 'zod';
import { duration } from './duration.ts';
import { file, fileOrUrl, schedule, timeZone } from './fields.ts';

/** Which Argo CD is installed in the place of a lost one. */
export const install = z
  .strictObject({
    manifest: fileOrUrl.describe(
      'Its manifest, as it was published or rendered: a path from gitops.yaml on, or an https URL.',
    ),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'a SHA-256 has 64 digits and letters a to f: sha256sum tells it')
      .describe('Of its bytes: another one is never installed.'),
  })
  .describe('What a lost Argo CD is installed from.');

const target = { least: '1m', most: '30d' };

export const recreation = z
  .strictObject({
    drill: z
      .strictObject({
        kubeconfig: file.describe('Says where it is: a path from gitops.yaml on.'),
        context: z.string().min(1).optional().describe("Default: the file's current one."),
        schedule: schedule.default('0 4 * * 0').describe('When there is one, as cron says it.'),
        timeZone: timeZone.default('UTC').describe('Of the schedule.'),
      })
      .optional()
      .describe('The empty control plane in which drills restore: never the cluster itself.'),
    targets: z
      .strictObject({
        rpo: duration(target).default('26h').describe('How old the backup may be.'),
        rto: duration(target).default('1h').describe('How long until the last Application is healthy.'),
      })
      .prefault({})
      .describe('What a recreation is held to in its report.'),
    healthy: duration({ least: '10s', most: '6h' })
      .default('15m')
      .describe('How long one Application may take until it is synced and healthy.'),
    parallel: z
      .int()
      .min(1)
      .max(500)
      .default(20)
      .describe('How many Applications, or objects of the backup, are worked on at a time.'),
  })
  .describe('The rebuilding of a lost cluster.');
