import { cancellationSignal } from '@temporalio/activity';
import { join } from 'node:path';
import { z } from 'zod';
import { milliseconds } from '../../config/duration.ts';
import { environmentOf } from '../../config/places.ts';
import type { Service } from '../../config/services.ts';
import { changeName, type Change, type Image } from '../../model/change.ts';
import { objectKeys } from '../../model/object-keys.ts';
import { digestSchema } from '../../model/names.ts';
import { getJson } from '../../systems/objects/index.ts';
import { failed, refused } from '../failures.ts';
import { withGit } from '../git-failures.ts';
import { ownAttempt } from '../own-attempt.ts';
import { knownService } from './known-service.ts';
import { OutputLog, type ClosedLog } from './output-log.ts';
import type { Systems } from '../systems.ts';
import type { BuildActivities } from '../contract.ts';
import { withCheckout } from './checkout.ts';

/** What a build of this program left: only such digests reach production. */
export const buildRecordSchema = z.object({
  change: z.string(),
  name: z.string(),
  digest: digestSchema,
  builtAt: z.string(),
  log: z.string().optional(),
});

/** Each attempt has a checkout, a log and an image tag of its own; only the record is shared, and it is written once. */
export function createBuildActivities(
  systems: Pick<Systems, 'config' | 'repository' | 'objects' | 'images' | 'commands'> & {
    workDirectory: string;
  },
): BuildActivities {
  const { config, repository, objects, images, commands, workDirectory } = systems;
  const checkouts = join(workDirectory, 'checkouts');

  return {
    async testService({ change }) {
      const { path, test } = await serviceOf(change);
      const timeoutMs = milliseconds(config.services.testTimeout);
      const { result, log } = await logged(change, 'test', (onOutput) =>
        checkedOut(change, async (directory): Promise<Result> => {
          const shared = { timeoutMs, signal: cancellationSignal(), onOutput };
          const cwd = join(directory, path);
          return test
            ? commands.run({ command: test, cwd, env: {}, ...shared })
            : images.tryBuild({
                context: cwd,
                dockerfile: join(cwd, 'Dockerfile'),
                target: 'test',
                ...shared,
              });
        }),
      );
      judge(result, 'TestsFailed', `The tests of ${changeName(change)}`, log);
      return keyOf(log);
    },

    async buildImage({ change, source }) {
      const found = await recorded(change);
      if (found) return found;
      const { path, image: name } = await serviceOf(change);
      if (name === undefined) throw refused(`${change.service} has no image to build.`);
      const { result, log } = await logged(change, 'build', (onOutput) =>
        checkedOut(change, async (directory) => {
          const context = join(directory, path);
          return images.buildAndPush(
            {
              context,
              dockerfile: join(context, 'Dockerfile'),
              timeoutMs: milliseconds(config.services.buildTimeout),
              signal: cancellationSignal(),
              onOutput,
            },
            {
              name,
              tag: change.commit,
              createdAt: Math.floor(Date.parse(source.committedAt) / 1000),
              labels: {
                'org.opencontainers.image.revision': change.commit,
                'org.opencontainers.image.source': config.repository.url,
                'org.opencontainers.image.created': source.committedAt,
              },
            },
          );
        }),
      );
      judge(result, 'BuildFailed', `The image of ${changeName(change)}`, log);
      return record(change, { name, digest: result.digest }, keyOf(log));
    },

    async adoptImage({ change, reference }) {
      const [name = '', digest = ''] = reference.split('@');
      if (!digestSchema.safeParse(digest).success) {
        throw refused(`${reference} names no digest. Give the image as NAME@sha256:…`);
      }
      const service = await serviceOf(change);
      const allowed = [service.image, ...config.registry.allowed];
      if (!allowed.includes(name)) {
        throw refused(
          `${name} is not where images of ${change.service} come from (${allowed.join(', ')}). Give it as NAME@sha256:…, without a tag.`,
        );
      }
      const labels = await images.labels({ name, digest });
      if (!labels) throw refused(`The registry has no ${reference}. Push it first.`);
      const revision = labels['org.opencontainers.image.revision'];
      if (revision !== change.commit) {
        throw refused(
          `${reference} is labelled as revision ${revision ?? '(none)'}, not ${change.commit}. Build it with the label org.opencontainers.image.revision.`,
        );
      }
      return record(change, { name, digest });
    },

    async runEndToEnd({ change, environment }) {
      const { endToEnd } = environmentOf(config, environment);
      if (!endToEnd) throw refused(`${environment} has no endToEnd any more. See gitops.yaml.`);
      const { command, env, timeout } = endToEnd;
      const { result, log } = await logged(change, `end-to-end-${environment}`, (onOutput) =>
        checkedOut(change, (cwd) => {
          const timeoutMs = milliseconds(timeout);
          return commands.run({ command, cwd, env, timeoutMs, signal: cancellationSignal(), onOutput });
        }),
      );
      judge(result, 'EndToEndFailed', `The end-to-end test in ${environment}`, log);
      return keyOf(log);
    },
  };

  function serviceOf({ service, commit }: Change): Promise<Service> {
    return withGit(() => knownService(systems, service, commit));
  }

  function checkedOut<T>({ commit }: Change, work: (directory: string) => Promise<T>): Promise<T> {
    return withGit(() => withCheckout(repository, checkouts, commit, work));
  }

  /** Found done only when this program recorded it, since anybody may have pushed the tag, and the registry still has it. */
  async function recorded(change: Change): Promise<Image | undefined> {
    const found = await getJson(objects, objectKeys.build(change), buildRecordSchema);
    if (!found) return undefined;
    const { name, digest } = found.value;
    return (await images.labels({ name, digest })) && { name, digest };
  }

  /** The first record stays: another attempt's build of the same commit is as good, but production knows only one. */
  async function record(
    change: Change,
    image: Image,
    log: { log?: string } = {},
  ): Promise<Image & { log?: string }> {
    const key = objectKeys.build(change);
    const body = {
      change: changeName(change),
      ...image,
      builtAt: new Date().toISOString(),
      ...log,
    };
    const known = await getJson(objects, key, buildRecordSchema);
    const condition = known ? { ifMatch: known.etag } : { ifAbsent: true };
    const gone = known && !(await images.labels({ name: known.value.name, digest: known.value.digest }));
    if ((!known || gone) && (await objects.put(key, JSON.stringify(body), condition))) {
      return { ...image, ...log };
    }
    const first = await getJson(objects, key, buildRecordSchema);
    if (!first) throw new Error(`${key} was removed while it was written. Trying again.`);
    return { name: first.value.name, digest: first.value.digest, ...log };
  }

  /** Streams output to a log. */
  async function logged<T>(
    change: Change,
    step: string,
    work: (onOutput: (text: string) => void) => Promise<T>,
  ): Promise<{ result: T; log: ClosedLog }> {
    const output = new OutputLog(objects, objectKeys.log(change, step, ownAttempt()));
    const [done] = await Promise.allSettled([work(output.write)]);
    const log = await output.close();
    if (done.status === 'rejected') throw done.reason;
    return { result: done.value, log };
  }
}

type Result = { state: 'built' } | { state: 'ended'; exitCode: number } | { state: 'failed' | 'timed-out' };

const keyOf = ({ key, lost }: ClosedLog): { log?: string } => (lost === undefined ? { log: key } : {});

/** @throws ApplicationFailure of the type, with the key of the log: what is in it belongs into no history */
function judge<T extends Result>(
  result: T,
  type: string,
  what: string,
  { key, lost }: ClosedLog,
): asserts result is Extract<T, { state: 'built' | 'ended' }> {
  if (result.state === 'built' || (result.state === 'ended' && result.exitCode === 0)) return;
  const how = result.state === 'timed-out' ? 'took too long' : 'failed';
  if (lost === undefined) throw failed(type, `${what} ${how}. The log: ${key}`, key);
  throw failed(type, `${what} ${how}. The log could not be stored as ${key}: ${lost}`);
}
