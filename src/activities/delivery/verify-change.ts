import { ApplicationFailure } from '@temporalio/common';
import { promotionSettings } from '../../config/places.ts';
import { listServices, ownsPath, type Service } from '../../config/services.ts';
import type { Change, Source } from '../../model/change.ts';
import type { Plan } from '../../model/delivery.ts';
import { plain } from '../../model/markdown.ts';
import type { Commit } from '../../systems/git/repository.ts';
import { refused } from '../failures.ts';
import { withGit } from '../git-failures.ts';
import { knownService } from './known-service.ts';
import type { Systems } from '../systems.ts';
import type { SourceActivities } from '../contract.ts';

/** More than a person reads of a change's paths. */
const mostPaths = 20;

/** Reads only: safe to repeat. */
export function createSourceActivities(systems: Pick<Systems, 'config' | 'repository'>): SourceActivities {
  const { config, repository } = systems;

  return {
    verifyChange: ({ change, image }) =>
      withGit(async (): Promise<Plan> => {
        const position = await positionOf(change.commit);
        const service = await knownService(systems, change.service, change.commit);
        const environments = config.environments.map(({ name }) => ({
          name,
          settings: promotionSettings(config, name),
        }));
        return {
          source: await sourceOf(change, service, position),
          test: await hasTests(service, change.commit),
          image: imagePlan(service, image),
          environments,
        };
      }),

    resolveChanges: ({ since, until }) =>
      withGit(async () => {
        const tip = until ?? (await repository.tip());
        await positionOf(tip);
        const commits = /^0+$/.test(since) ? [tip] : await commitsBetween(since, tip);
        const changes = new Map<string, { change: Change; subject: string }>();
        for (const commit of commits) {
          const paths = await repository.changedPaths(commit);
          const [described] = await repository.log(undefined, commit, []);
          for (const service of listServices(config, await repository.files(commit)).values()) {
            if (!paths.some((path) => ownsPath(service, path))) continue;
            const subject = described ? subjectOf(described) : '';
            changes.set(service.name, { change: { service: service.name, commit }, subject });
          }
        }
        return [...changes.values()];
      }),

    findPosition: ({ commit }) =>
      withGit(async () => {
        const position = await repository.position(commit);
        return position === undefined ? {} : { position };
      }),
  };

  async function positionOf(commit: string): Promise<number> {
    const position = await repository.position(commit);
    if (position !== undefined) return position;
    const { branch } = config.repository;
    const merge = await repository.mergeOf(commit);
    if (merge === undefined) {
      throw refused(
        `${commit} is not on ${branch}. Merge it first; only commits of ${branch} are delivered.`,
      );
    }
    throw refused(`${commit} came to ${branch} by the merge ${merge}. Deliver that one.`);
  }

  /** First-parent commits after `since` up to `tip`, oldest first. */
  async function commitsBetween(since: string, tip: string): Promise<string[]> {
    await positionOf(since);
    if (since === tip) return [];
    const commits = await repository.firstParentSince(since);
    const end = commits.indexOf(tip);
    if (end < 0) throw refused(`${tip} is not after ${since}, or more than 500 commits after it.`);
    return commits.slice(0, end + 1);
  }

  async function sourceOf(
    { commit }: Pick<Change, 'commit'>,
    service: Service,
    position: number,
  ): Promise<Source> {
    const [base, [described], paths] = await Promise.all([
      repository.object(commit, `${service.manifests}/base`),
      repository.log(undefined, commit, []),
      repository.changedPaths(commit),
    ]);
    if (base === undefined) {
      throw refused(
        `${service.manifests}/base does not exist at ${commit}. A service has its manifests there.`,
      );
    }
    if (!described) throw ApplicationFailure.retryable(`${commit} could not be read.`);
    return {
      position,
      base,
      subject: subjectOf(described),
      authors: described.authors,
      committedAt: described.committedAt,
      paths: paths.filter((path) => ownsPath(service, path)).slice(0, mostPaths),
    };
  }

  async function hasTests({ test, dockerfile, image }: Service, commit: string): Promise<boolean> {
    if (test) return true;
    if (image === undefined || dockerfile === undefined) return false;
    return hasTestTarget((await repository.read(commit, dockerfile)) ?? '');
  }
}

/** It goes into histories, terminals and messages of commits: not too long, and nothing that they would act on. */
const subjectOf = ({ subject }: Commit): string => plain(subject).slice(0, 100);

/** Whether a Dockerfile has a stage named `test`. */
const hasTestTarget = (dockerfile: string): boolean => /^\s*FROM\s+.+\s+AS\s+test\s*$/im.test(dockerfile);

function imagePlan(service: Service, given: string | undefined): Plan['image'] {
  if (service.image !== undefined) return given === undefined ? 'build' : 'given';
  if (given === undefined) return 'none';
  throw refused(`${service.name} has no image, so it cannot take ${given}. Leave --image out.`);
}
