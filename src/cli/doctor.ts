import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createLogUpdate } from 'log-update';
import { dim, green, red, yellow } from 'yoctocolors';
import { loadConfig } from '../config/load.ts';
import { examine, type Finding } from '../doctor/index.ts';
import { columns, print, withCommonOptions, type CommonOptions } from './common.ts';
import { exitCodes } from './exit-codes.ts';
import { harmless, shorten, wrap } from './text.ts';

export function register(program: Command): void {
  withCommonOptions(
    program
      .command('doctor')
      .description(
        'Compares the configuration with the world: every system, what we may do there, every Application. ' +
          'Of the world it changes one object, doctor/platform.txt in the object store.',
      ),
  ).action(doctor);
}

async function doctor(options: CommonOptions): Promise<void> {
  const config = loadConfig(options.config);
  const clones = mkdtempSync(join(tmpdir(), 'gitops-doctor-'));
  const progress = options.json || !process.stderr.isTTY ? undefined : createLogUpdate(process.stderr);
  const pending = (names: string[]) =>
    progress?.(dim(shorten(`looking at ${names.join(', ')}`, columns(process.stderr))));
  try {
    const findings = await examine(config, clones, pending);
    progress?.clear();
    const ok = findings.every(({ state }) => state !== 'failed');
    const document = {
      ok,
      checks: findings.map(({ name, state, detail, remedy }) => ({ name, state, detail, remedy })),
    };
    print(options, document, drawFindings(findings, columns()));
    if (!ok) {
      const unreachable = findings.some((finding) => finding.unreachable);
      process.exitCode = unreachable ? exitCodes.unreachable : exitCodes.usage;
    }
  } finally {
    await rm(clones, { recursive: true, force: true });
  }
  // What gave no answer in time is still being waited for.
  process.exit();
}

const looks = { ok: green('✔'), warning: yellow('!'), failed: red('✖') };

/** A line a finding, with what to change below it. */
function drawFindings(findings: readonly Finding[], width: number): string {
  const nameWidth = Math.max(...findings.map(({ name }) => name.length)) + 2;
  const indent = ' '.repeat(nameWidth + 4);
  const lines = findings.flatMap(({ name, state, detail, remedy }) => {
    const room = Math.max(30, width - indent.length);
    const [first = '', ...more] = wrap(harmless(detail), room);
    const change = remedy === undefined ? [] : wrap(harmless(`→ ${remedy}`), room);
    return [
      `  ${looks[state]} ${name.padEnd(nameWidth)}${first}`,
      ...[...more, ...change].map((line) => indent + line),
    ];
  });
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
  const summary = `${count('failed')} failed, ${count('warning')} to think about, ${count('ok')} fine`;
  return [...lines, '', `  ${summary}`].join('\n');
}
