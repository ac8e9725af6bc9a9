import { z } from 'zod';
import { applicationName, manifestsPath, releasePath } from '../config/places.ts';
import { changeSchema } from '../model/change.ts';
import type { EnvironmentMemory } from '../model/environment.ts';
import { objectKeys } from '../model/ids.ts';
import { digestSchema, shaSchema } from '../model/names.ts';
import type { Deployed } from '../model/promotion.ts';
import { parseReleaseKustomization } from '../model/release.ts';
import { GitError } from '../systems/git/index.ts';
import { getJson } from '../systems/objects/index.ts';
import { ownRunIsOpen } from '../systems/temporal/runs.ts';
import { unknownEnvironment } from '../model/environment.ts';
import { failed } from './failures.ts';
import { withGit } from './git-failures.ts';
import type { Systems } from './systems.ts';
import type { Place, RecordActivities } from './types.ts';

const deployedSchema = z.object({
  change: changeSchema,
  position: z.int(),
  revision: shaSchema,
  image: z.object({ name: z.string(), digest: digestSchema }).exactOptional(),
  at: z.string(),
});
export const memorySchema: z.ZodType<EnvironmentMemory> = z.object({
  current: deployedSchema.exactOptional(),
  lastHealthy: deployedSchema.exactOptional(),
});

export function createRecordActivities(
  systems: Pick<Systems, 'config' | 'repository' | 'objects' | 'argocd' | 'temporal'>,
): RecordActivities {
  const { config, repository, objects, argocd, temporal } = systems;

  return {
    /** Reads only. */
    async recallEnvironment(place) {
      const names = config.environments.map(({ name }) => name);
      if (!names.includes(place.environment)) {
        throw failed(
          unknownEnvironment,
          `There is no environment ${place.environment}. There are: ${names.join(', ')}. See gitops.yaml.`,
        );
      }
      const stored = await getJson(objects, keyOf(place), memorySchema);
      if (stored) return stored.value;
      const running = await withGit(() => whatRuns(place));
      return running ? { current: running, lastHealthy: running } : {};
    },

    /** Safe to repeat and late: a memory never takes the place of a younger one. */
    async rememberEnvironment({ memory, ...place }) {
      const key = keyOf(place);
      const stored = await getJson(objects, key, memorySchema);
      if (stored && ageOf(stored.value) > ageOf(memory)) return;
      await replace(key, stored, memory);
    },

    /** Safe to repeat and late: the last delivery of a change is the one that is shown, and it is open until it is recorded. */
    async recordDelivery({ delivery }) {
      const { service, commit } = delivery;
      const key = objectKeys.delivery({ service, commit });
      const stored = await objects.get(key);
      if (await ownRunIsOpen(temporal)) await replace(key, stored, delivery);
    },
  };

  async function replace(key: string, stored: { etag: string } | undefined, value: object): Promise<void> {
    const condition = stored ? { ifMatch: stored.etag } : { ifAbsent: true };
    if (await objects.put(key, JSON.stringify(value), condition)) return;
    throw new Error(`${key} was written by somebody else meanwhile. Trying again.`);
  }

  /** What Argo CD runs, as far as this program wrote it. */
  async function whatRuns({ environment, service: name }: Place): Promise<Deployed | undefined> {
    const application = await argocd.application(applicationName(config, name, environment));
    // Not what it compares with: where it does not sync by itself, that is the branch's head.
    const revision = application?.deployedRevision;
    if (revision === undefined) return undefined;
    const manifests = manifestsPath(config, name);
    const path = `${releasePath({ manifests }, environment)}/kustomization.yaml`;
    const release = parseReleaseKustomization((await read(revision, path)) ?? '');
    const position = release && (await repository.position(release.change.commit));
    if (!release || position === undefined) return undefined;
    return { ...release, position, revision, at: new Date().toISOString() };
  }

  /** Undefined also when the branch was rewritten since: an environment must not be stuck for that. */
  async function read(revision: string, path: string): Promise<string | undefined> {
    try {
      return await repository.read(revision, path);
    } catch (error) {
      if (error instanceof GitError && error.kind === 'missing') return undefined;
      throw error;
    }
  }
}

const keyOf = ({ environment, service }: Place): string => objectKeys.environment(environment, service);

/** ISO 8601 sorts as text. */
const ageOf = ({ current }: EnvironmentMemory): string => current?.at ?? '';
