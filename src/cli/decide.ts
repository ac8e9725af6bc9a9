import { Option, type Command } from 'commander';
import { bold, dim } from 'yoctocolors';
import { GitopsError, type Delivery, type GitopsClient, type PromotionView } from '../client.ts';
import { errorText } from '../systems/system-error.ts';
import {
  checkEnvironment,
  note,
  print,
  withClient,
  withCommonOptions,
  type CommonOptions,
} from './common.ts';
import { exitCodes } from './exit-codes.ts';
import { prompt } from './prompt.ts';
import { harmless, shortChange } from './text.ts';

interface Options extends CommonOptions {
  environment?: string;
  reason?: string;
  as?: string;
  yes?: true;
}

type Verdict = 'approve' | 'reject';

/** More of a diff than this is read in the pull request. */
const diffLines = 400;

/** `approve` and `reject` differ in a word. */
export function registerDecision(program: Command, verdict: Verdict, description: string): void {
  withCommonOptions(
    program
      .command(verdict)
      .description(description)
      .argument('<change>', '<service>/<commit>, of which 7 digits are enough')
      .option('--environment <name>', 'where; left out: the environment that waits for a decision')
      .option('--reason <text>', 'why, for those who read it later')
      .addOption(
        new Option('--as <name>', 'who you are: a name under `people` in the configuration').env(
          'GITOPS_USER',
        ),
      )
      .option('--yes', 'do not ask on a terminal'),
  ).action((change: string, options: Options) => decide(verdict, change, options));
}

async function decide(verdict: Verdict, name: string, options: Options): Promise<void> {
  const { as: by, reason } = options;
  if (by === undefined) {
    throw new GitopsError(
      'usage',
      'Say who decides: --as NAME, or GITOPS_USER. The names stand under `people` in the configuration.',
    );
  }
  await withClient(options, async (gitops, config) => {
    checkEnvironment(config, options.environment);
    const delivery = await gitops.status(name);
    const { environment, view, manifestsDigest } = findCall(delivery, options.environment);
    await show(gitops, delivery, environment, view);
    if (
      !options.yes &&
      process.stdin.isTTY &&
      !(await confirm(`${verdict === 'approve' ? 'Approve' : 'Reject'} it for ${environment}?`))
    ) {
      note('Nothing was decided.');
      process.exitCode = exitCodes.refused;
      return;
    }
    // The digest that was shown: should it have moved meanwhile, the decision is refused.
    const decision = await gitops.decide({
      change: delivery.change,
      environment,
      verdict,
      by,
      manifestsDigest,
      ...(reason !== undefined && { reason }),
    });
    const done = verdict === 'approve' ? 'approved' : 'rejected';
    print(
      options,
      { change: delivery.change, environment, decision },
      `${by} ${done} ${shortChange(delivery.change)} for ${environment}.`,
    );
  });
}

/** @throws GitopsError `refused`: nothing is waited for there */
function findCall(
  { change, environments, state }: Delivery,
  given: string | undefined,
): { environment: string; view: PromotionView; manifestsDigest: string } {
  for (const [environment, view] of Object.entries(environments)) {
    const { manifestsDigest } = view;
    const asked = view.state === 'waiting' && manifestsDigest !== undefined;
    if (asked && (given === undefined || given === environment))
      return { environment, view, manifestsDigest };
  }
  const waiting = Object.entries(environments).find(([, view]) => view.state === 'waiting');
  const instead = waiting
    ? `it waits for ${waiting[1].waitingFor ?? 'something'} in ${waiting[0]}`
    : `it is ${state}`;
  throw new GitopsError(
    'refused',
    `${shortChange(change)} waits for no decision${given === undefined ? '' : ` in ${given}`}: ${instead}.`,
  );
}

async function show(
  gitops: GitopsClient,
  delivery: Delivery,
  environment: string,
  view: PromotionView,
): Promise<void> {
  const { change, subject, image } = delivery;
  const { pullRequest, manifestsDigest, summary, waitingFor, behind, decisions = [] } = view;
  const facts: [string, string | undefined][] = [
    ['Commit', subject],
    ['Image', image?.reference],
    ['Changelog', pullRequest?.url],
    ['Manifests', manifestsDigest],
    ['Summary', summary],
    ['Waiting for', waitingFor],
    ['Newer', behind],
    [
      'So far',
      decisions
        .map(({ verdict, by }) => `${by} ${verdict === 'approve' ? 'approved' : 'rejected'}`)
        .join(', '),
    ],
  ];
  note(bold(`${change} for ${environment}`));
  for (const [label, fact] of facts) if (fact) note(`  ${dim(label.padEnd(13))}${harmless(fact)}`);
  if (view.diff !== undefined) note(`\n${await readDiff(gitops, view.diff)}\n`);
}

async function readDiff(gitops: GitopsClient, key: string): Promise<string> {
  try {
    const diff = await gitops.diff(key);
    if (diff === undefined) return dim(`The diff is in the object store: ${key}`);
    const lines = harmless(diff).split('\n');
    if (lines.length <= diffLines) return lines.join('\n');
    return [...lines.slice(0, diffLines), dim(`… ${lines.length - diffLines} more lines: ${key}`)].join('\n');
  } catch (error) {
    // Who may decide need not have the object store's credentials; the pull request shows the diff too.
    return dim(`The diff could not be read (${errorText(error)}). The pull request shows it.`);
  }
}

const confirm = async (question: string): Promise<boolean> =>
  /^y(es)?$/i.test(await prompt(`${question} [y/N] `));
