import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command, CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { commands } from './commands.ts';
import { programFor } from './run.ts';
import { commandLines, pages } from '../../test/support/pages.ts';

const file = fileURLToPath(new URL('../../docs/cli.md', import.meta.url));
const block = /```console\n\$ gitops (.+) --help\n[^]*?```/g;

test('docs/cli.md shows the help of every command (update it with vitest -u)', async () => {
  const help = new Map<string, string>();
  for (const name of Object.keys(commands)) {
    const program = await programFor(name);
    for (const command of program.commands) collect(command, command.name(), help);
  }
  const doc = readFileSync(file, 'utf8');
  expect([...doc.matchAll(block)].map(([, words]) => words)).toEqual([...help.keys()]);
  const upToDate = doc.replace(
    block,
    (_, words: string) => `\`\`\`console\n$ gitops ${words} --help\n${help.get(words)}\`\`\``,
  );
  await expect(upToDate).toMatchFileSnapshot(file);
});

test('every gitops command that a page shows is one', async () => {
  const shown = pages
    .flatMap((page) => commandLines(page).map((line) => ({ page, line, words: commandIn(line) })))
    .filter(({ words }) => words !== undefined);
  expect(shown.length).toBeGreaterThan(20);
  const wrong: string[] = [];
  for (const { page, line, words = [] } of shown) {
    const problem = await problemOf(words);
    if (problem !== undefined) wrong.push(`${page.name}: ${line}: ${problem}`);
  }
  expect(wrong).toEqual([]);
});

/** The words after `gitops`, as a shell would split them, up to where its own syntax begins. */
function commandIn(line: string): string[] | undefined {
  const filledIn = line.replaceAll(/\$\([^)]*\)/g, 'filled-in');
  const [, command] = /(?:^|[\s(])gitops ([a-z][^|&;)>]*)/.exec(filledIn.replaceAll(/\d?>.*/g, '')) ?? [];
  return command?.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)?.map((word) => word.replaceAll(/["']/g, ''));
}

/** Parses a command line, and runs nothing. */
async function problemOf([name = '', ...args]: string[]): Promise<string | undefined> {
  if (!Object.hasOwn(commands, name)) return 'there is no such command';
  const program = await programFor(name);
  disarm(program);
  try {
    await program.parseAsync([name, ...args], { from: 'user' });
    return undefined;
  } catch (error) {
    const { code, message } = error as CommanderError;
    // In a sentence a command is named without what it takes.
    const isNamed = args.length === 0 && ['commander.missingArgument', 'commander.help'].includes(code);
    return isNamed || code === 'commander.helpDisplayed' ? undefined : message;
  }
}

function disarm(command: Command): void {
  const nowhere = () => undefined;
  command.exitOverride().configureOutput({ writeOut: nowhere, writeErr: nowhere });
  if (command.commands.length === 0) command.action(nowhere);
  for (const sub of command.commands) disarm(sub);
}

/** A command's help, and its subcommands' after it. */
function collect(command: Command, words: string, help: Map<string, string>): void {
  help.set(words, command.configureOutput({ getOutHelpWidth: () => 100 }).helpInformation());
  for (const sub of command.commands) collect(sub, `${words} ${sub.name()}`, help);
}
