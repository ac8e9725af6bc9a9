import pLimit from 'p-limit';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { milliseconds } from '../../config/duration.ts';
import { changeName } from '../../model/delivery/change.ts';
import { logEnd } from '../../model/text/log-end.ts';
import { objectKeys } from '../../model/object-keys.ts';
import { differing, isMoving, judgeRecovery, type Found } from '../../model/recovery/recovery-outcome.ts';
import { reportText, shortcomings, summaryOf } from '../../model/recovery/recreation-report.ts';
import {
  reportTextKey,
  type RecoveredApplication,
  type Recreation,
  type RecreationReport,
} from '../../model/recovery/recreation.ts';
import { createArgoCd } from '../../systems/argocd/api-client.ts';
import type { Kubernetes } from '../../systems/kubernetes/index.ts';
import type { KeepLog } from '../../systems/kubernetes/pods.ts';
import { readVerification, writeVerification } from '../../systems/backups/catalogue.ts';
import { refused, withObjects, withRecovery } from '../failures.ts';
import { existingIndex } from '../backup/open.ts';
import type { RecreationActivities } from '../contract.ts';
import { applicationsAmong, argoCdObjects, type BackedUp } from './backed-up-applications.ts';
import { liveApplications } from './live-applications.ts';
import { rememberedReleases, type Remembered } from './remembered-releases.ts';
import type { RecreationSystems } from './systems.ts';

type Report = Parameters<RecreationActivities['reportRecreation']>[0];

/** How long Argo CD, which syncs by itself again, is given to come to rest. */
const restMs = 60_000;
const lookEveryMs = 5000;
/** An explanation takes several requests: beyond so many, what Argo CD itself says has to do. */
const mostExplained = 50;
const explainedAtOnce = 8;

/** Safe to repeat and late: the same recreation has the same report, at the same key. */
export function createReportRecreation(
  systems: RecreationSystems,
): Pick<RecreationActivities, 'reportRecreation'> {
  const { config } = systems;
  const home = config.argocd.namespace;

  return {
    reportRecreation: (input) =>
      withRecovery(async () => {
        const backup = input.soFar.plan?.backup;
        if (!backup) throw refused('Nothing was restored, so there is nothing to report.');
        const { objects, recovery } = systems;
        const index = await existingIndex(recovery.store, backup.key);
        const remembered = await rememberedReleases(systems);
        const backedUp = applicationsAmong(await argoCdObjects(systems, index), index, remembered);
        const kubernetes = systems.clusterOf(input);
        const found = await atRest(kubernetes, home, backedUp, input);

        const judged = backedUp.map((one) => judge(one, found.get(idOf(one, home)), input, home));
        const report: RecreationReport = {
          ...times(input.soFar, backup.createdAt),
          targets: targets(),
          applications: await explained(kubernetes, judged, home),
          differing: input.drill ? [] : different(remembered, found, home),
          leftOut: index.leftOut,
        };
        const passed = shortcomings(report).length === 0;
        const summary = summaryOf(report);
        const key = objectKeys.recreation(input.cluster, report.startedAt, input.recreation);
        const written = { ...report, state: passed ? 'succeeded' : 'failed', reason: summary };
        await withObjects(async () => {
          await objects.put(key, JSON.stringify(written, undefined, 2));
          await objects.put(reportTextKey(key), reportText(report));
        });
        if (input.drill && passed) await prove(backup.key);
        return { report: key, passed, summary };
      }),
  };

  function targets(): RecreationReport['targets'] {
    const { rpo, rto } = config.recreation.targets;
    return { rpoMs: milliseconds(rpo), rtoMs: milliseconds(rto) };
  }

  async function prove(key: string): Promise<void> {
    const now = new Date().toISOString();
    const { store } = systems.recovery;
    const verification = await readVerification(store, key);
    await writeVerification(store, {
      ...(verification ?? { key, state: 'good', verifiedAt: now }),
      provenAt: now,
    });
  }
}

const idOf = ({ name, namespace }: Pick<BackedUp, 'name' | 'namespace'>, home: string): string =>
  `${namespace ?? home}/${name}`;

/** Reads all of them, again until Argo CD has come to rest. */
async function atRest(
  kubernetes: Kubernetes,
  home: string,
  backedUp: readonly BackedUp[],
  { drill, startedAt }: Report,
): Promise<Map<string, Found>> {
  // Argo CD notes whole seconds.
  const since = startedAt === undefined ? 0 : Math.floor(Date.parse(startedAt) / 1000) * 1000;
  const namespaces = new Set([home, ...backedUp.map(({ namespace = home }) => namespace)]);
  const until = Date.now() + restMs;
  for (;;) {
    const found = await liveApplications(kubernetes, namespaces, since);
    const moving = backedUp.filter((one) => {
      const live = found.get(idOf(one, home));
      return live && isMoving(live);
    });
    if (drill || moving.length === 0 || Date.now() > until) return found;
    heartbeat({ done: backedUp.length - moving.length, of: backedUp.length, what: 'Applications at rest' });
    await sleep(lookEveryMs, undefined, { signal: cancellationSignal() });
  }
}

/** Of a drill it is asked whether it is there: no controller runs in a scratch control plane. */
function judge(
  one: BackedUp,
  found: Found | undefined,
  { drill, startedAt = '' }: Report,
  home: string,
): RecoveredApplication {
  const outcome: Pick<RecoveredApplication, 'state' | 'reason'> =
    drill && found ? { state: 'recovered' } : judgeRecovery(one.expected, found, Date.parse(startedAt));
  return {
    name: one.name,
    namespace: one.namespace ?? home,
    ...outcome,
    expected: one.expected,
    runs: found?.runs ?? [],
    sync: found?.application.sync.status ?? 'Missing',
    health: found?.application.health.status ?? 'Missing',
  };
}

async function explained(
  kubernetes: Kubernetes,
  applications: RecoveredApplication[],
  home: string,
): Promise<RecoveredApplication[]> {
  const chosen = new Set(
    applications
      .filter(({ state, sync }) => state === 'not-recovered' && sync !== 'Missing')
      .slice(0, mostExplained),
  );
  const argocd = createArgoCd({ kubernetes, namespace: home });
  return pLimit(explainedAtOnce).map(applications, async (one) => {
    if (!chosen.has(one)) return one;
    const { name, namespace, reason = '' } = one;
    const why = await argocd.explain(`${namespace}/${name}`, inReport);
    return { ...one, reason: `${reason}\n${why}`.trimEnd() };
  });
}

/** The report is kept in the object store, where logs may be: so they stand in it. */
const inReport: KeepLog = async (_, text) => `\n${logEnd(text).replaceAll(/^/gm, '    ')}`;

/** RTO ends with the last phase that brought something back: to write it down is no part of it. */
function times(soFar: Recreation, backedUpAt: string) {
  const { report: _, ...recreation } = soFar;
  const began = Date.parse(soFar.startedAt);
  const phases = soFar.phases.filter(({ finishedAt }) => finishedAt !== undefined);
  const ended = Math.max(began, ...phases.map(({ finishedAt = '' }) => Date.parse(finishedAt)));
  return {
    ...recreation,
    phases,
    finishedAt: new Date(ended).toISOString(),
    rpoMs: began - Date.parse(backedUpAt),
    rtoMs: ended - began,
  };
}

function different(
  remembered: ReadonlyMap<string, Remembered>,
  found: ReadonlyMap<string, Found>,
  home: string,
): RecreationReport['differing'] {
  return [...remembered].flatMap(([name, { environment, service, current }]) => {
    const runs = differing(current, found.get(name.includes('/') ? name : `${home}/${name}`));
    return runs === undefined ? [] : [{ environment, service, remembered: changeName(current.change), runs }];
  });
}
