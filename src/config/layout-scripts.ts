import { posix } from 'node:path';
import { isTestedEndToEnd } from './end-to-end.ts';
import type { Config } from './schema.ts';
import type { Service } from './services.ts';
import type { LayoutProblem } from './tree.ts';

/** Commands run in a clean checkout: a script that is not in it can only fail. */
export function scriptProblems(
  config: Config,
  services: readonly Service[],
  files: ReadonlySet<string>,
): LayoutProblem[] {
  const here = services.filter(({ source }) => !source);
  const endToEnd = config.environments.flatMap(({ name: environment, endToEnd }, i) => {
    // It runs where the source is of what it tests.
    const isRunHere = here.some(({ name }) => isTestedEndToEnd(config, environment, name));
    const command = (isRunHere && endToEnd?.command) || [];
    return missingScripts({ key: `environments[${i}].endToEnd.command`, command, folder: '.' }, files);
  });
  return [...testScriptProblems(config, here, files), ...endToEnd];
}

/** Of the tests of services, in the repository of their source. */
export const testScriptProblems = (
  { services: { explicit } }: Config,
  services: readonly Service[],
  files: ReadonlySet<string>,
): LayoutProblem[] =>
  services.flatMap(({ name, path, test: command = [] }) => {
    const key = explicit[name]?.test ? `services.explicit.${name}.test` : 'services.test';
    return missingScripts({ key, command, folder: path }, files);
  });

const missingScripts = (
  { key, command, folder }: { key: string; command: readonly string[]; folder: string },
  files: ReadonlySet<string>,
): LayoutProblem[] =>
  scriptsIn(command)
    .map((script) => posix.join(folder, script).replace(/\/$/, ''))
    .filter((path) => !files.has(path) && !files.values().some((file) => file.startsWith(`${path}/`)))
    .map((path) => ({ path, message: `is not there: correct ${key}, or commit it` }));

const interpreters = /^(node|deno|bun|tsx|python[\d.]*|ruby|perl|php|(ba|da|k|z)?sh)$/;

/** What is surely a file of source, and none that the command writes. */
const source = /\.([cm]?[jt]sx?|sh|bash|bats|py|rb|pl|php|lua|robot|feature|hurl)$/;

/**
 * Files of the repository that a command runs, as far as can be told: its program, sources among its arguments, and
 * what an interpreter is given first. What follows an option may be the option's: `node --import tsx/esm`.
 */
function scriptsIn([program = '', ...args]: readonly string[]): string[] {
  const first = interpreters.test(posix.basename(program)) && args.find((arg) => !arg.startsWith('-'));
  const isOwn = (arg: string): boolean => arg === first && (arg === args[0] || program.endsWith('sh'));
  const isScript = (arg: string): boolean => {
    if (!/^[\w@.][\w@./-]*$/.test(arg)) return false;
    return arg.includes('/') ? source.test(arg) || isOwn(arg) : source.test(arg) && arg === first;
  };
  const ownProgram = program.includes('/') && !program.startsWith('/') ? [program] : [];
  return [...ownProgram, ...args.filter(isScript)];
}
