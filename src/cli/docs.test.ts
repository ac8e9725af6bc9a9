import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { commands } from './commands.ts';
import { programFor } from './run.ts';

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

/** A command's help, and its subcommands' after it. */
function collect(command: Command, words: string, help: Map<string, string>): void {
  help.set(words, command.configureOutput({ getOutHelpWidth: () => 100 }).helpInformation());
  for (const sub of command.commands) collect(sub, `${words} ${sub.name()}`, help);
}
