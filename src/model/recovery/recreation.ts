import { z } from 'zod';
import { backupInputSchema, backupKeySchema, type BackupKind } from './backup.ts';
import { codeBlock, inlineCode } from '../text/markdown.ts';
import { marks } from '../text/marks.ts';

/** What a recreation is started with: starts come from whoever reaches the namespace. */
export const recreationInputSchema = backupInputSchema.extend({
  /** The newest good one, when left out. */
  key: backupKeySchema.exactOptional(),
  /** Into the scratch control plane, and without syncs: whether the backup would do. */
  drill: z.boolean().exactOptional(),
  /** Whether a backup older than the configuration allows will do too. */
  allowOlder: z.boolean().exactOptional(),
});
export type RecreationInput = z.infer<typeof recreationInputSchema>;

/** Which cluster is worked on: the lost one, or the scratch control plane of a drill. */
export interface Target {
  cluster: string;
  /** The workflow's first run ID: what it built is known by it, and another recreation's is not. */
  recreation: string;
  drill: boolean;
}

/** What is restored, as it was found before anything was changed. */
export interface RecreationPlan {
  backup: {
    key: string;
    /** The store's own name for these very bytes. */
    version?: string;
    sha256: string;
    /** ISO 8601 */
    createdAt: string;
    argocdVersion?: string;
    /** Older than the configuration allows, and allowed all the same. */
    older?: true;
  };
  /** Applications that are no roots, in the order in which they are synced. */
  waves: { wave: number; applications: number }[];
  /** Applications whose manifests hold Applications. They come last. */
  roots: number;
}

/**
 * What became of the objects of a kind. `created`: made, or brought to what the backup has. `kept`: they were there
 * already, as they are in the backup.
 */
export interface RestoredKind {
  expected: number;
  created: number;
  kept: number;
  failed: number;
}

export interface Restored {
  kinds: Partial<Record<BackupKind, RestoredKind>>;
  /** The first of them. */
  failures: { object: string; reason: string }[];
}

/** What became of a wave. Whoever was late or failed stands in the report, with the reason. */
export interface WaveResult {
  applications: number;
  healthy: number;
}

export const phaseNames = [
  'check',
  'install',
  'restore',
  'start',
  'frame',
  'sync',
  'automate',
  'roots',
  'report',
  'finish',
] as const;
export type PhaseName = (typeof phaseNames)[number];

/** What an activity that takes long tells by its heartbeats: `{ done: 37, of: 200, what: 'Applications' }`. */
export const workSchema = z.object({ done: z.int().min(0), of: z.int().min(0), what: z.string().max(100) });
export type Work = z.infer<typeof workSchema>;

/** A phase, as people see it. */
export interface Phase {
  name: PhaseName;
  state: 'pending' | 'running' | 'succeeded' | 'failed';
  startedAt?: string;
  finishedAt?: string;
  /** What was done, or what it failed of, in a few words. */
  detail?: string;
  /** While it runs: how far it is, or why its last attempt failed. Only a status that was just asked for has it. */
  progress?: string;
}

/** What the query tells, and what `recreate-cluster --json` prints in the end. */
export interface Recreation {
  cluster: string;
  drill: boolean;
  state: 'running' | 'succeeded' | 'failed';
  startedAt: string;
  finishedAt?: string;
  plan?: RecreationPlan;
  restored?: Restored;
  phases: Phase[];
  /** Key of the report in the object store; beside it, with .md, the one for people. */
  report?: string;
  /** Whether all came back, and within the configured targets. */
  reason?: string;
}

/**
 * An Application at the end. `recovered`: Healthy at its revision, and Synced unless the branch moved on; of a drill: it
 * is there. `never-ran`: it had never been synced when the backup was made, so nothing was.
 */
export interface RecoveredApplication {
  name: string;
  namespace: string;
  state: 'recovered' | 'not-recovered' | 'never-ran';
  /** What it should run, and what it does: a revision a source. */
  expected: string[];
  runs: string[];
  sync: string;
  health: string;
  reason?: string;
}

export interface RecreationReport extends Omit<Recreation, 'report'> {
  /** Of what ran when the recreation began, so much had happened since the backup. Milliseconds. */
  rpoMs: number;
  /** From the beginning until the last Application. Milliseconds. */
  rtoMs: number;
  targets: { rpoMs: number; rtoMs: number };
  applications: RecoveredApplication[];
  /** Services whose environment remembers another release than the one that runs. */
  differing: { environment: string; service: string; remembered: string; runs: string }[];
  /** What the backup left out, and why. */
  leftOut: { what: string; why: string }[];
}

/** Beside the report of a recreation: the one for people, in Markdown. */
export const reportTextKey = (report: string): string => report.replace(/\.json$/, '.md');

/** The recreation as Markdown, for the Temporal UI. */
export function describeRecreation({ cluster, drill, plan, phases, reason }: Recreation): string {
  return [
    `**${drill ? 'Drill for' : 'Recreation of'} ${cluster}**${plan ? ` from ${inlineCode(plan.backup.key)}` : ''}`,
    '',
    ...phases.map(
      ({ name, state, detail }) =>
        `- ${marks[state]} ${name}${detail === undefined ? '' : `: ${inlineCode(detail)}`}`,
    ),
    ...(reason === undefined ? [] : ['', codeBlock(reason)]),
  ].join('\n');
}
