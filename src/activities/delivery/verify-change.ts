import { isTestedEndToEnd } from '../../config/end-to-end.ts';
import { promotionSettings } from '../../config/promotion-settings.ts';
import { silenceOf } from '../../config/silence.ts';
import { isIn, ownsPath, type Service } from '../../config/services.ts';
import type { Change, Source } from '../../model/delivery/change.ts';
import type { Plan } from '../../model/delivery/delivery.ts';
import { stagesIn } from '../../model/dockerfile.ts';
import { refused, withGit } from '../failures.ts';
import { positionOf } from './branch-position.ts';
import { subjectOf } from './commit-subject.ts';
import { knownService } from './known-service.ts';
import { removalOf, type Removal } from './removal-of.ts';
import { refuseMissingFiles } from './refuse-missing-files.ts';
import type { Systems } from '../systems.ts';
import type { SourceActivities } from '../contract.ts';

/** More than a person reads of a change's paths. */
const mostPaths = 20;

/** Reads only. */
export function createVerifyChange(
  systems: Pick<Systems, 'config' | 'repository'>,
): Pick<SourceActivities, 'verifyChange'> {
  const { config, repository } = systems;

  return {
    verifyChange: ({ change, image }) =>
      withGit(async (): Promise<Plan> => {
        const position = await positionOf(systems, change.commit);
        const removal = await removalOf(systems, change);
        if (removal && image !== undefined) {
          throw refused(
            `${change.commit} removes ${change.service}, so it takes no image. Leave --image out.`,
          );
        }
        if (removal) return removalPlan(change, removal, position);
        const service = await knownService(systems, change.service, change.commit);
        const missing = await refuseMissingFiles(repository, service, change.commit);
        if (missing !== undefined) throw refused(missing);
        return {
          source: await sourceOf(change, service, position),
          test: await hasTests(service, change.commit),
          image: imagePlan(service, image),
          environments: environmentsOf(change),
          silence: silenceOf(config),
        };
      }),
  };

  /** Nothing is tested, built or tried when a service goes. */
  async function removalPlan(change: Change, { base, manifests }: Removal, position: number): Promise<Plan> {
    const described = await repository.commit(change.commit);
    const paths = await repository.changedPaths(change.commit);
    return {
      source: {
        position,
        base,
        subject: subjectOf(described),
        authors: described.authors,
        committedAt: described.committedAt,
        paths: paths.filter((path) => isIn(path, manifests)).slice(0, mostPaths),
      },
      test: false,
      image: 'none',
      environments: environmentsOf(change),
      removes: true,
      silence: silenceOf(config),
    };
  }

  function environmentsOf({ service }: Change): Plan['environments'] {
    return config.environments.map(({ name }) => ({
      name,
      settings: {
        ...promotionSettings(config, name),
        endToEnd: isTestedEndToEnd(config, name, service),
      },
    }));
  }

  async function sourceOf(
    { commit }: Pick<Change, 'commit'>,
    service: Service,
    position: number,
  ): Promise<Source> {
    const [base, described, paths] = await Promise.all([
      repository.object(commit, `${service.manifests}/base`),
      repository.commit(commit),
      repository.changedPaths(commit),
    ]);
    if (base === undefined) {
      throw refused(
        `${service.manifests}/base does not exist at ${commit}. A service has its manifests there.`,
      );
    }
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
    return stagesIn((await repository.read(commit, dockerfile)) ?? '').includes('test');
  }
}

function imagePlan(service: Service, given: string | undefined): Plan['image'] {
  if (service.image !== undefined) return given === undefined ? 'build' : 'given';
  if (given === undefined) return 'none';
  throw refused(`${service.name} has no image, so it cannot take ${given}. Leave --image out.`);
}
