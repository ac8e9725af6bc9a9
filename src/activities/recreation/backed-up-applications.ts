import type { Automatic } from '../../model/recovery/automation.ts';
import type { BackupIndex } from '../../model/recovery/backup.ts';
import { expectedRevisions } from '../../model/recovery/next-step.ts';
import { instanceName } from '../../model/argocd/tracking.ts';
import { rootsAmong, waveOf, type Placed } from '../../model/recovery/sync-waves.ts';
import { refused } from '../failures.ts';
import { Damaged, existingIndex, withBackup } from '../backup/open.ts';
import { rememberedReleases, type Remembered } from './remembered-releases.ts';
import type { RecreationSystems } from './systems.ts';

/** An Application of the backup. What is not in it is none of a recreation's business. */
export interface BackedUp {
  name: string;
  /** Undefined: Argo CD's own. */
  namespace: string | undefined;
  wave: number;
  /** Its manifests hold Applications. */
  root: boolean;
  /** What it is to run: a revision a source; none: it never ran anything. */
  expected: string[];
}

type Stored = Placed & Automatic;

/** Argo CD's own objects in the backup: Applications, ApplicationSets and projects. @throws Refused: it is damaged */
export async function argoCdObjects(
  { recovery, scratch }: RecreationSystems,
  index: BackupIndex,
): Promise<Stored[]> {
  try {
    return await withBackup(recovery, scratch, index, async (stored) => {
      const objects: Stored[] = [];
      for await (const { object, line } of stored()) {
        const argoProj = object.kind !== 'ConfigMap' && object.kind !== 'Secret';
        if (argoProj) objects.push({ ...(JSON.parse(line) as object), ...object });
      }
      return objects;
    });
  } catch (error) {
    throw error instanceof Damaged ? refused(`${index.key} cannot be restored. ${error.message}`) : error;
  }
}

export async function backedUpApplications(systems: RecreationSystems, key: string): Promise<BackedUp[]> {
  const index = await existingIndex(systems.recovery.store, key);
  const [objects, remembered] = await Promise.all([
    argoCdObjects(systems, index),
    rememberedReleases(systems),
  ]);
  return applicationsAmong(objects, index, remembered);
}

export function applicationsAmong(
  objects: readonly Stored[],
  index: BackupIndex,
  remembered: ReadonlyMap<string, Remembered>,
): BackedUp[] {
  const ran = new Map(index.applications.map(({ revisions, ...rest }) => [keyOf(rest), revisions]));
  const roots = rootsAmong(objects);
  return objects
    .filter(({ kind }) => kind === 'Application')
    .map((object) => {
      const { name, namespace } = object.metadata;
      const memory =
        namespace === undefined ? remembered.get(name) : remembered.get(keyOf({ name, namespace }));
      return {
        name,
        namespace,
        wave: waveOf(object),
        root: roots.has(instanceName(object.metadata)),
        expected: expectedRevisions(ran.get(keyOf({ name, namespace })) ?? [], memory?.current.revision),
      };
    });
}

const keyOf = ({ name, namespace = '' }: { name: string; namespace?: string | undefined }): string =>
  `${namespace}/${name}`;
