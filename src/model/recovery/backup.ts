import { z } from 'zod';
import { nameSchema } from '../names.ts';
import { silenceSchema } from '../temporal/silence.ts';

/** What a backup holds. */
export const backupKinds = ['ConfigMap', 'Secret', 'AppProject', 'Application', 'ApplicationSet'] as const;
export type BackupKind = (typeof backupKinds)[number];
export type Counts = Record<BackupKind, number>;

export const noCounts = (): Counts => ({
  ConfigMap: 0,
  Secret: 0,
  AppProject: 0,
  Application: 0,
  ApplicationSet: 0,
});

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const bytes = z.object({ sha256, size: z.int().min(0) });
export type Bytes = z.infer<typeof bytes>;

/** Names a stored backup: `argocd/<cluster>/<date>/<time>-<beginning of the SHA-256 of what is stored>`. */
export const backupKeySchema = z
  .string()
  .regex(
    /^argocd\/[a-z][a-z0-9-]*\/\d{4}-\d\d-\d\d\/\d{6}Z-[0-9a-f]{16}$/,
    'a backup is argocd/<cluster>/<date>/<time>-<hash>, as gitops backups list shows it',
  );

/** @param at ISO 8601, in UTC */
export function backupKey(cluster: string, at: string, storedSha256: string): string {
  const [date = '', time = ''] = at.split('T');
  return `${backupPrefix(cluster)}${date}/${time.slice(0, 8).replaceAll(':', '')}Z-${storedSha256.slice(0, 16)}`;
}

/** When a backup was made, by its key: ISO 8601. */
export const timeOf = (key: string): string =>
  key.replace(/^.*\/(.+)\/(\d\d)(\d\d)(\d\d)Z-.*$/, '$1T$2:$3:$4.000Z');

export const backupPrefix = (cluster: string): string => `argocd/${cluster}/`;

/** Beside each backup, written once after it: without an index it is none. */
export const indexKey = (key: string): string => `${key}.index.json`;
/** Beside each backup, written whenever somebody looked whether it can be restored. */
export const verificationKey = (key: string): string => `${key}.verified.json`;

/** What is known of a backup without opening it. No secret is in it. */
export const backupIndexSchema = z.object({
  key: backupKeySchema,
  cluster: z.string(),
  /** ISO 8601; when the cluster was read. */
  createdAt: z.string(),
  argocd: z.object({ namespace: z.string(), version: z.string().exactOptional() }),
  counts: z.record(z.enum(backupKinds), z.int().min(0)),
  /** So many of its lines `argocd admin import` takes; those after them have to be applied beside that. */
  importable: z.int().min(0),
  /** A JSON object a line, as `argocd admin import` reads it. */
  plain: bytes,
  /** Compressed (zstd) and encrypted (age); `version` is the store's own name for these very bytes. */
  stored: bytes.extend({ version: z.string().exactOptional() }),
  /** What each Application ran: a revision a source. */
  applications: z.array(
    z.object({ name: z.string(), namespace: z.string().exactOptional(), revisions: z.array(z.string()) }),
  ),
  /** SHA-256 of the certificates that belong to the keys of sealed-secrets. */
  sealingKeys: z.array(z.object({ name: z.string(), fingerprint: z.string() })),
  leftOut: z.array(z.object({ what: z.string(), why: z.string() })),
});
export type BackupIndex = z.infer<typeof backupIndexSchema>;

/**
 * `good`: read back, opened, and all that its index says. `suspect`: whole, but nobody should rely on it before a person
 * looked. `bad`: not what was written.
 */
export const verificationSchema = z.object({
  key: backupKeySchema,
  state: z.enum(['good', 'suspect', 'bad']),
  reason: z.string().exactOptional(),
  /** ISO 8601 */
  verifiedAt: z.string(),
  /** A person looked at what made it suspect, and wants it counted as good. */
  accepted: z.boolean().exactOptional(),
  /** ISO 8601; when a drill last restored all of it. */
  provenAt: z.string().exactOptional(),
});
export type Verification = z.infer<typeof verificationSchema>;

/** A stored backup, as lists show it. */
export interface RecoveryPoint {
  key: string;
  cluster: string;
  createdAt: string;
  /** Bytes stored. */
  size: number;
  counts: Counts;
  argocdVersion?: string;
  state: 'unverified' | Verification['state'];
  reason?: string;
  verifiedAt?: string;
  /** When a drill last restored all of it. */
  provenAt?: string;
  /** Until then nobody can remove it. */
  lockedUntil?: string;
}

/** Which objects two backups do not share: `<namespace>/<name>`, without the namespace where it is Argo CD's own. */
export type BackupDifference = Partial<
  Record<BackupKind, { added: string[]; removed: string[]; changed: string[]; more?: number }>
>;

/**
 * Whether a backup holds so little that something must have gone wrong before it was taken.
 *
 * @param last of the newest good one before it
 * @returns what is wrong with it
 */
export function tooSmall(
  counts: Counts,
  last: Counts | undefined,
  smallestShare: number,
): string | undefined {
  if (counts.Application + counts.ApplicationSet === 0) return 'It holds no Application.';
  const shrunk = backupKinds.find((kind) => counts[kind] < (last?.[kind] ?? 0) * smallestShare);
  if (shrunk === undefined) return undefined;
  return `It holds ${counts[shrunk]} ${shrunk}s, the last good one ${last?.[shrunk]}: fewer than backup.smallestShare (${smallestShare}) allows.`;
}

/** The newest good one is what a cluster would be rebuilt from. */
export const newestGood = (points: readonly RecoveryPoint[]): RecoveryPoint | undefined =>
  points.filter(({ state }) => state === 'good').toSorted((a, b) => b.key.localeCompare(a.key))[0];

/** Whether the newest good backup is missing or older than is allowed: an alarm. */
export function isOverdue(
  newest: Pick<RecoveryPoint, 'createdAt'> | undefined,
  oldestAllowedMs: number,
  now: number,
): boolean {
  return newest === undefined || now - Date.parse(newest.createdAt) > oldestAllowedMs;
}

// What the workflows take: starts come from whoever reaches the namespace.
export const backupInputSchema = z.looseObject({
  platform: nameSchema,
  cluster: nameSchema,
  silence: silenceSchema.exactOptional(),
});
export type BackupInput = z.infer<typeof backupInputSchema>;
export const verifyInputSchema = backupInputSchema.extend({
  key: backupKeySchema.exactOptional(),
  accept: z.boolean().exactOptional(),
});
export const compareInputSchema = backupInputSchema.extend({ from: backupKeySchema, to: backupKeySchema });
