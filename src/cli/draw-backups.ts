import { bold, dim, green, red, yellow } from 'yoctocolors';
import { backupKinds, type BackupDifference, type RecoveryPoint } from '../model/recovery/backup.ts';
import { table } from './draw-list.ts';
import { durationBetween, harmless } from './text.ts';

const looks: Record<RecoveryPoint['state'], string> = {
  good: green('✔ good'),
  suspect: yellow('! suspect'),
  bad: red('✖ bad'),
  unverified: dim('· unverified'),
};

/** A line a backup. */
export function drawPoints(points: readonly RecoveryPoint[], now: number, width: number): string {
  if (points.length === 0) return 'There is no backup yet. Make one: gitops backup --wait';
  const rows = points.map((point) => [
    point.key,
    looks[point.state],
    `${durationBetween(point.createdAt, undefined, now)} old`,
    sizeText(point.size),
    `${point.counts.Application} Applications`,
    point.lockedUntil === undefined
      ? red('not locked')
      : dim(`locked until ${point.lockedUntil.slice(0, 10)}`),
    provenText(point),
    harmless(point.reason ?? ''),
  ]);
  return table(rows, width).join('\n');
}

/** All that is known of one. */
export function drawPoint(point: RecoveryPoint): string {
  const { key, state, reason, counts, size, lockedUntil } = point;
  const held = backupKinds.filter((kind) => counts[kind] > 0).map((kind) => `${counts[kind]} ${kind}`);
  return [
    `${looks[state]} ${bold(key)}`,
    ...(reason === undefined ? [] : [`  ${harmless(reason)}`]),
    `  ${held.join(', ')}; ${sizeText(size)}`,
    `  ${lockedUntil === undefined ? 'not locked' : `locked until ${lockedUntil}`}`,
    `  ${provenText(point)}`,
  ].join('\n');
}

const provenText = ({ provenAt }: RecoveryPoint): string =>
  provenAt === undefined ? dim('no drill yet') : green(`proven ${provenAt.slice(0, 10)}`);

export function drawDifference(differences: BackupDifference): string {
  const lines = backupKinds.flatMap((kind) => {
    const { added = [], removed = [], changed = [], more } = differences[kind] ?? {};
    return [
      ...added.map((name) => green(`+ ${kind} ${harmless(name)}`)),
      ...removed.map((name) => red(`- ${kind} ${harmless(name)}`)),
      ...changed.map((name) => yellow(`~ ${kind} ${harmless(name)}`)),
      ...(more === undefined ? [] : [dim(`  and ${more} more of ${kind}`)]),
    ];
  });
  return lines.length === 0 ? 'They hold the same.' : lines.join('\n');
}

function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
