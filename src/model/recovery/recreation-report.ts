import { durationText } from '../text/duration.ts';
import { codeBlock, inlineCode } from '../text/markdown.ts';
import type { RecoveredApplication, RecreationReport } from './recreation.ts';
import { namesOf } from './recovery-outcome.ts';

/** More than these would bury what matters; the JSON beside it has all. */
const mostRows = 200;

/** What stands against a pass, in sentences; none: it passed. */
export function shortcomings(report: RecreationReport): string[] {
  const { applications, restored, rpoMs, rtoMs, targets } = report;
  const missing = applications.filter(({ state }) => state === 'not-recovered').map(({ name }) => name);
  const failed = Object.values(restored?.kinds ?? {}).reduce((sum, kind) => sum + kind.failed, 0);
  const lost = Object.entries(restored?.kinds ?? {}).filter(
    ([, { expected, created, kept, failed: known }]) => created + kept + known < expected,
  );
  return [
    ...(missing.length > 0
      ? [`${missing.length} of ${applications.length} Applications are not back: ${some(missing)}.`]
      : []),
    ...(failed > 0 ? [`${failed} objects could not be restored.`] : []),
    ...lost.map(
      ([kind, { expected, created, kept }]) => `Of ${expected} ${kind}s there are ${created + kept}.`,
    ),
    ...(rpoMs > targets.rpoMs
      ? [`The backup was ${durationText(rpoMs)} old, and ${durationText(targets.rpoMs)} are allowed.`]
      : []),
    ...(rtoMs > targets.rtoMs
      ? [`It took ${durationText(rtoMs)}, and ${durationText(targets.rtoMs)} are allowed.`]
      : []),
  ];
}

/** In a line. */
export function summaryOf(report: RecreationReport): string {
  const against = shortcomings(report);
  if (against.length > 0) return against.join(' ');
  const { applications, drill, rpoMs, rtoMs } = report;
  const what = drill ? 'The backup can be restored' : `All of it is back`;
  return `${what}: ${applications.length} Applications in ${durationText(rtoMs)}, from a backup that was ${durationText(rpoMs)} old.`;
}

/** The report for people, who need not have been there. */
export function reportText(report: RecreationReport): string {
  const { cluster, drill, plan, applications } = report;
  const of = (state: RecoveredApplication['state']) => applications.filter((one) => one.state === state);
  return [
    `# ${drill ? 'Drill: a restore of' : 'Recreation of'} ${cluster}`,
    verdict(report),
    happened(report),
    plan ? backupText(plan.backup) : '',
    section('How long it took', phases(report)),
    section('Objects restored', objects(report)),
    drill ? section('What a drill does not check', notChecked) : '',
    section('Applications that are not back', missing(of('not-recovered'))),
    section('Applications that had never run', neverRan(of('never-ran'))),
    section('Services that run something else than their environment remembers', differing(report)),
    section('What the backup did not hold', leftOut(report)),
    section(drill ? 'Applications that are there' : 'Applications that are back', back(of('recovered'))),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

const section = (title: string, body: string): string => (body === '' ? '' : `## ${title}\n\n${body}`);

function verdict(report: RecreationReport): string {
  const against = shortcomings(report);
  return against.length === 0 ? `**Passed.** ${summaryOf(report)}` : `**Failed.** ${against.join(' ')}`;
}

function happened({
  cluster,
  drill,
  startedAt,
  finishedAt,
  rpoMs,
  rtoMs,
  targets,
}: RecreationReport): string {
  const what = drill
    ? `A backup of ${cluster} was restored into an empty control plane, to see whether it can be. The cluster itself was not touched.`
    : `${cluster} had been lost. Argo CD was installed again, what it knew was restored from a backup, and all Applications were synced in the order of their waves, without pruning, at the revisions that had been let in before; only then they sync by themselves again.`;
  return [
    what,
    `It began at ${startedAt}${finishedAt === undefined ? '' : ` and ended at ${finishedAt}`}.`,
    table(
      ['', 'Was', 'Target', ''],
      [
        [
          'Lost since the backup, at most (RPO)',
          durationText(rpoMs),
          durationText(targets.rpoMs),
          mark(rpoMs <= targets.rpoMs),
        ],
        [
          'Until the last Application (RTO)',
          durationText(rtoMs),
          durationText(targets.rtoMs),
          mark(rtoMs <= targets.rtoMs),
        ],
      ],
    ),
  ].join('\n\n');
}

const mark = (good: boolean): string => (good ? 'met' : '**missed**');

function backupText({
  key,
  version,
  sha256,
  createdAt,
  argocdVersion,
  older,
}: NonNullable<RecreationReport['plan']>['backup']): string {
  return [
    `The backup: ${inlineCode(key)}, of ${createdAt}, SHA-256 ${inlineCode(sha256)}`,
    version === undefined ? '' : `, version ${inlineCode(version)} in the store`,
    argocdVersion === undefined ? '' : `, of Argo CD ${argocdVersion}`,
    older ? '. It was older than the configuration allows, and whoever began this allowed it' : '',
    '.',
  ].join('');
}

const phases = ({ phases }: RecreationReport): string =>
  table(
    ['Phase', 'Took', 'Done'],
    phases
      .filter(({ state }) => state === 'succeeded' || state === 'failed')
      .map(({ name, state, startedAt = '', finishedAt = '', detail = '' }) => [
        name,
        durationText(Date.parse(finishedAt) - Date.parse(startedAt)),
        `${state === 'failed' ? '**failed** ' : ''}${cell(detail)}`,
      ]),
  );

function objects({ restored }: RecreationReport): string {
  if (!restored) return '';
  const rows = Object.entries(restored.kinds).map(([kind, { expected, created, kept, failed }]) => [
    kind,
    ...[expected, created, kept, failed].map(String),
  ]);
  const failures = restored.failures.map(({ object, reason }) => `- ${inlineCode(object)}: ${cell(reason)}`);
  return [
    table(['Kind', 'In the backup', 'Created', 'There already', 'Failed'], rows),
    ...(failures.length > 0 ? [failures.join('\n')] : []),
  ].join('\n\n');
}

const notChecked = [
  'That Git still has the revisions, and the registry the images.',
  'That Applications become healthy: nothing was synced.',
  'That SealedSecrets decrypt, and that load balancers, DNS and volumes come back.',
  'How long the syncs take: a real recreation needs more than this drill did.',
]
  .map((line) => `- ${line}`)
  .join('\n');

function missing(applications: RecoveredApplication[]): string {
  if (applications.length === 0) return '';
  const each = applications.map(
    ({ name, namespace, expected, runs, sync, health, reason = '' }) =>
      `### ${inlineCode(`${namespace}/${name}`)}\n\n${sync}, ${health}; to run ${inlineCode(namesOf(expected))}, runs ${inlineCode(namesOf(runs))}.\n\n${codeBlock(reason)}`,
  );
  return [
    'What to do: remove the cause, then sync each at the revision that it is to run, `argocd app sync NAME --revision REVISION`; never at the head of the branch where that was not let in. One whose objects wait for another Application often only needs to be synced once more.',
    ...each.slice(0, mostRows),
    ...more(each.length),
  ].join('\n\n');
}

const neverRan = (applications: RecoveredApplication[]): string =>
  applications.length === 0
    ? ''
    : `Nobody had synced them when the backup was made, so nothing was synced now: ${some(
        applications.map(({ name }) => name),
        mostRows,
      )}.`;

const differing = ({ differing }: RecreationReport): string =>
  differing.length === 0
    ? ''
    : [
        'Each environment compares by itself before its next promotion. Deliver the remembered change again where it is the right one.',
        table(
          ['Environment', 'Service', 'Remembered', 'Runs'],
          differing
            .slice(0, mostRows)
            .map(({ environment, service, remembered, runs }) => [
              environment,
              service,
              inlineCode(remembered),
              inlineCode(runs),
            ]),
        ),
        ...more(differing.length),
      ].join('\n\n');

const leftOut = ({ leftOut }: RecreationReport): string =>
  [
    ...leftOut.slice(0, mostRows).map(({ what, why }) => `- ${cell(what)}: ${cell(why)}.`),
    ...more(leftOut.length),
  ].join('\n');

const back = (applications: RecoveredApplication[]): string =>
  applications.length === 0
    ? ''
    : [
        table(
          ['Application', 'Sync', 'Health', 'Runs'],
          applications
            .slice(0, mostRows)
            .map(({ name, namespace, sync, health, runs }) => [
              inlineCode(`${namespace}/${name}`),
              sync,
              health,
              inlineCode(namesOf(runs)),
            ]),
        ),
        ...more(applications.length),
      ].join('\n\n');

const more = (all: number): string[] =>
  all > mostRows ? [`And ${all - mostRows} more: the JSON beside this report has all of them.`] : [];

const some = (names: string[], most = 10): string =>
  names.length > most
    ? `${names.slice(0, most).join(', ')} and ${names.length - most} more`
    : names.join(', ');

/** A table's cell is one line. */
const cell = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, 500);

function table(head: string[], rows: string[][]): string {
  if (rows.length === 0) return '';
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
