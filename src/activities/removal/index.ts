import { applicationName, namespaceOf } from '../../config/environments.ts';
import { overlayPath } from '../../config/paths.ts';
import type { Application } from '../../model/argocd/application.ts';
import { changeName } from '../../model/delivery/change.ts';
import { compare, summarize, type Manifest } from '../../model/manifests.ts';
import { wantedBy } from '../../systems/temporal/runs.ts';
import type { RemovalActivities } from '../contract.ts';
import type { Removal } from '../delivery/removal-of.ts';
import { later, outlived, refused, withCluster, withGit } from '../failures.ts';
import { authorsOf, commitsSince } from '../promotion/authors.ts';
import { digestOf, storeDifference } from '../promotion/difference.ts';
import { createRenderer, render } from '../promotion/renderer.ts';
import { refuseWeaker } from '../promotion/settings.ts';
import { objectName, straysOf } from '../promotion/strays.ts';
import { refuseSource } from '../sync/application-source.ts';
import type { LeftObject } from '../../systems/argocd/index.ts';
import { KustomizeError } from '../../systems/kustomize/index.ts';
import { hasCommit } from '../../systems/git/index.ts';
import type { Systems } from '../systems.ts';
import { awaitBringer } from './await-bringer.ts';
import { evidenceOf } from './evidence.ts';

type RemovalSystems = Pick<Systems, 'config' | 'repository' | 'argocd' | 'objects' | 'temporal'>;

/** More than a person deletes by hand. */
const mostNamed = 20;

/**
 * Takes what a service deployed out of an environment, once a commit took the service out of the repository.
 *
 * @param workDirectory of this program alone, for short-lived checkouts
 */
export function createRemovalActivities(systems: RemovalSystems, workDirectory: string): RemovalActivities {
  const { config, repository, argocd, temporal } = systems;
  const { inScratch, checkOut, settingsOf } = createRenderer(systems, workDirectory);

  return {
    /** Safe to repeat, side by side and late: it reads, and writes what people are shown under its own digest. */
    async previewRemoval({ environment, release, current, asked }) {
      const { change } = release;
      const removal = await evidenceOf(systems, change);
      const name = applicationName(config, change.service, environment);
      const application = await applicationOf(name, removal, environment);
      const running = application?.deployedRevision ?? current?.revision;
      const held = application ? await withCluster(() => argocd.heldBy(name)) : [];
      const seen = {
        revisions: [...new Set([...(running === undefined ? [] : [running]), removal.parent])],
        ...(held.length > 0 && { objects: held.map(objectName) }),
        // Of one that is gone nobody can say; mostly it is the cluster that Argo CD lives in.
        destination: application?.destination ?? {
          name: 'in-cluster',
          namespace: namespaceOf(config, environment),
        },
      };
      if (asked.by !== 'decisions') return { seen, authors: [] };

      const commits = await withGit(() => commitsSince(repository, current, change, removal));
      const authors = authorsOf(config, commits, release, asked);
      const rendered = await inScratch(async (scratch) => {
        const gone = await whatGoes(scratch, name, running, removal, environment, application);
        const manifestsDigest = digestOf(gone);
        const head =
          `# ${name}: all that runs (${running ?? 'nothing'}) is deleted, as ${changeName(change)} removes the service\n` +
          `# Digest of what is deleted: ${manifestsDigest}\n`;
        const shown = { head, before: gone, after: [], scratch };
        const diff = await storeDifference(systems, { environment, change }, shown);
        return { manifestsDigest, diff, summary: summarize(compare(gone, [])) };
      });
      return { seen, authors, rendered };
    },

    /**
     * Safe to repeat, side by side and late: it deletes the Application that it looked at, by its UID, or finds it deleted;
     * an attempt that its promotion has outlived, or that comes when the service is back, deletes nothing.
     */
    async removeApplication({ environment, release, seen, approved, asker }) {
      const { change } = release;
      const wanted = wantedBy(temporal, asker);
      if (!(await wanted())) return { state: 'refused', reason: outlived };
      const weaker = approved === undefined && refuseWeaker(config, environment, { by: 'none' });
      if (weaker) return { state: 'refused', reason: weaker };
      const removal = await evidenceOf(systems, change);
      const name = applicationName(config, change.service, environment);

      const application = await applicationOf(name, removal, environment);
      const running = application?.deployedRevision;
      // What is being deleted becomes less.
      if (approved !== undefined && application && !application.deleting) {
        const gone = await inScratch((scratch) =>
          whatGoes(scratch, name, running, removal, environment, application),
        );
        if (digestOf(gone) !== approved) return { state: 'changed' };
      }
      await awaitBringer(systems, name, change);
      if (!(await wanted())) return { state: 'refused', reason: outlived };
      const state = await withCluster(() => argocd.remove(name, running));
      if (state === 'changed') return { state };
      if (state === 'going')
        throw later('Busy', `Waits until Application ${name} and what it deployed are gone.`);

      const deployed = await inScratch(async (scratch) => {
        const all = seen.revisions.map((revision) =>
          whatRuns(scratch, revision, removal, environment, undefined).catch(ifUnrenderable),
        );
        return [...(await Promise.all(all)).flat(), ...(seen.objects ?? [])];
      });
      const left = await withCluster(() => argocd.leftOf(name, seen.destination, deployed));
      if (left.some(({ isGoing }) => isGoing))
        throw later('Busy', `Waits until what ${name} deployed is gone.`);
      return left.length === 0 ? { state: 'gone' } : { state: 'refused', reason: leftText(name, left) };
    },
  };

  /** @throws Refused: it brings something else than the service's overlay, which nobody would be shown */
  async function applicationOf(
    name: string,
    removal: Removal,
    environment: string,
  ): Promise<Application | undefined> {
    const application = await withCluster(() => argocd.application(name));
    const refusal = application && refuseSource(config, application, overlayPath(removal, environment));
    if (refusal !== undefined) throw refused(refusal);
    return application;
  }

  /** All that goes with an Application: as it was rendered, and what else it has. */
  async function whatGoes(
    scratch: string,
    name: string,
    running: string | undefined,
    removal: Removal,
    environment: string,
    application: Application | undefined,
  ): Promise<Manifest[]> {
    const runs =
      running === undefined ? [] : await whatRuns(scratch, running, removal, environment, application);
    return application ? [...runs, ...(await straysOf(argocd, name, runs))] : runs;
  }

  /** Somebody may have rewritten the branch since it was synced: then it is what the commit that removes it took away. */
  async function whatRuns(
    scratch: string,
    running: string,
    removal: Removal,
    environment: string,
    application: Application | undefined,
  ): Promise<Manifest[]> {
    const overlay = overlayPath(removal, environment);
    const revision = (await withGit(() => hasCommit(repository, running))) ? running : removal.parent;
    return renderedAt(scratch, revision, overlay, application);
  }

  /** As Argo CD rendered it; nothing where there was no overlay yet. */
  async function renderedAt(
    scratch: string,
    revision: string,
    overlay: string,
    application: Application | undefined,
  ): Promise<Manifest[]> {
    if ((await withGit(() => repository.object(revision, overlay))) === undefined) return [];
    const settings = await withCluster(() => settingsOf(application));
    const checkout = await withGit(() => checkOut(scratch, revision));
    return render(checkout, overlay, settings);
  }
}

/** An overlay that waits for its first release renders to nothing, and so has deployed nothing. */
function ifUnrenderable(error: unknown): Manifest[] {
  if (error instanceof KustomizeError) return [];
  throw error;
}

function leftText(application: string, left: LeftObject[]): string {
  const named = left.slice(0, mostNamed).map(({ name }) => name);
  const more = left.length > mostNamed ? ` and ${left.length - mostNamed} more` : '';
  return (
    `Application ${application} is gone, but not all that it deployed: ${named.join(', ')}${more}. ` +
    'Nobody looks after that any more. Delete it with kubectl, then deliver the change again.'
  );
}
