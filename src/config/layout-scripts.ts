import { posix } from 'node:path';
import type { Config } from './schema.ts';
import type { Service } from './services.ts';
import type { LayoutProblem } from './tree.ts';

/** Commands run in a clean checkout: a script that is not in it can only fail. */
export function scriptProblems(
  config: Config,
  services: readonly Service[],
  files: ReadonlySet<string>,
): LayoutProblem[] {
  const { explicit } = config.services;
  const commands = [
    ...services.map(({ name, path, test = [] }) => ({
      key: explicit[name]?.test ? `services.explicit.${name}.test` : 'services.test',
      command: test,
      folder: path,
    })),
    ...config.environments.map(({ endToEnd }, i) => ({
      key: `environments[${i}].endToEnd.command`,
      command: endToEnd?.command ?? [],
      folder: '.',
    })),
  ];
  return commands.flatMap(({ key, command, folder }) =>
    scriptsIn(command)
      .map((script) => posix.join(folder, script).replace(/\/$/, ''))
      .filter((path) => !files.has(path) && !files.values().some((file) => file.startsWith(`${path}/`)))
      .map((path) => ({ path, message: `is not there: correct ${key}, or commit it` })),
  );
}

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
