import { isTestedEndToEnd } from '../../config/end-to-end.ts';
import { promotionSettings } from '../../config/promotion-settings.ts';
import { silenceOf } from '../../config/silence.ts';
import { bringsBase, isIn, manifestsOnly, ownsPath, type Service } from '../../config/services.ts';
import type { Change, Source } from '../../model/delivery/change.ts';
import type { Plan } from '../../model/delivery/delivery.ts';
import { stagesIn } from '../../model/dockerfile.ts';
import { refused, withGit } from '../failures.ts';
import { positionOf } from './branch-position.ts';
import { subjectOf } from './commit-subject.ts';
import { knownService } from './known-service.ts';
import { baseOf } from '../promotion/release-base.ts';
import { overlaysOnly } from './overlays-only.ts';
import { refuseRemoved, removalOf, type Removal } from './removal-of.ts';
import { refuseMissingFiles } from './refuse-missing-files.ts';
import type { Systems } from '../systems.ts';
import type { SourceActivities } from '../contract.ts';

/** More than a person reads of a change's paths. */
const mostPaths = 20;

/** Reads only. */
export function createVerifyChange(
  systems: Pick<Systems, 'config' | 'repository' | 'sourceOf' | 'objects'>,
): Pick<SourceActivities, 'verifyChange'> {
  const { config, repository, sourceOf } = systems;

  return {
    verifyChange: ({ change, image }) =>
      withGit(async (): Promise<Plan> => {
        const position = await positionOf(systems, change);
        const removal = await removalOf(systems, change);
        if (removal && image !== undefined) {
          throw refused(
            `${change.commit} removes ${change.service}, so it takes no image. Leave --image out.`,
          );
        }
        if (removal) return removalPlan(change, removal, position);
        const service = await knownService(systems, change.service, change.commit);
        await refuseRemoved(systems, change);
        const manifests = service.source && (await newestManifests(service));
        const missing =
          (await refuseMissingFiles(sourceOf(service.name), service, change.commit)) ??
          (manifests && (await refuseMissingFiles(repository, manifestsOnly(config, service), manifests)));
        if (missing !== undefined) throw refused(missing);
        const source = await described(change, service, position, manifests);
        const environments = environmentsOf(change);
        // An image that somebody gives wants to be released.
        const onto = image === undefined ? await overlaysOnly(systems, service, change) : undefined;
        return {
          source,
          ...(onto
            ? { test: false, image: 'none', environments: withOverlays(environments, onto) }
            : {
                test: await hasTests(service, change.commit),
                image: imagePlan(service, image),
                environments,
              }),
          silence: silenceOf(config),
        };
      }),
  };

  /** The commit that changed them last. The branch's tip moves with every promotion, and what is the same is not released twice. */
  async function newestManifests(service: Service): Promise<string> {
    const { manifests, releases } = manifestsOnly(config, service);
    const tip = await repository.tip();
    return (await repository.lastChange(tip, manifests, releases)) ?? tip;
  }

  /** Nothing is tested, built or tried when a service goes. */
  async function removalPlan(change: Change, { base, manifests }: Removal, position: number): Promise<Plan> {
    const { authors, committedAt, subject } = await repository.commit(change.commit);
    const paths = await repository.changedPaths(change.commit);
    return {
      source: {
        position,
        base,
        subject: subjectOf({ subject }),
        authors,
        committedAt,
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

  async function described(
    change: Change,
    service: Service,
    position: number,
    manifests: string | undefined,
  ): Promise<Source> {
    const { commit } = change;
    const source = sourceOf(service.name);
    const [base, { authors, committedAt, subject }, paths] = await Promise.all([
      baseOf(systems, service, { change, ...(manifests !== undefined && { source: { manifests } }) }),
      source.commit(commit),
      source.changedPaths(commit),
    ]);
    if (base === undefined) {
      throw refused(
        `${service.base} does not exist at ${bringsBase(service) ? commit : (manifests ?? commit)}. A service has its manifests there.`,
      );
    }
    return {
      position,
      base,
      ...(manifests !== undefined && { manifests }),
      subject: subjectOf({ subject }),
      authors,
      committedAt,
      paths: paths.filter((path) => ownsPath(service, path)).slice(0, mostPaths),
    };
  }

  async function hasTests({ name, test, dockerfile, image }: Service, commit: string): Promise<boolean> {
    if (test) return true;
    if (image === undefined || dockerfile === undefined) return false;
    return stagesIn((await sourceOf(name).read(commit, dockerfile)) ?? '').includes('test');
  }
}

/** @param onto by environment, the release that stays there */
const withOverlays = (
  environments: Plan['environments'],
  onto: ReadonlyMap<string, Change>,
): Plan['environments'] =>
  environments.flatMap(({ name, settings }) => {
    const change = onto.get(name);
    return change ? [{ name, settings: { ...settings, entersBy: 'overlay' }, onto: change }] : [];
  });

function imagePlan(service: Service, given: string | undefined): Plan['image'] {
  if (service.image !== undefined) return given === undefined ? 'build' : 'given';
  if (given === undefined) return 'none';
  throw refused(`${service.name} has no image, so it cannot take ${given}. Leave --image out.`);
}
