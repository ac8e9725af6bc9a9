import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Run } from '../support/histories.ts';
import { checksumFile, checksumOf, recordings } from '../support/recorded.ts';
import { test, useTemporal } from '../support/workflow-rig.ts';
import { scenarios } from './scenarios.ts';

/**
 * Lets everything happen that scenarios tell, and keeps what Temporal remembers of it under the present version. What is
 * recorded of that stays as it is.
 */
useTemporal();

const { version } = JSON.parse(readFileSync(`${recordings}../../package.json`, 'utf8')) as {
  version: string;
};
const release = `${recordings}${version}`;
const missing = Object.entries(scenarios).filter(([name]) => !existsSync(`${release}/${name}`));
if (missing.length === 0) {
  throw new Error(
    `Everything is recorded of ${version}. Code that does something else is another version: see CONTRIBUTING.md.`,
  );
}

for (const [name, happen] of missing) {
  test(name, async ({ rig }) => {
    await happen(rig);
    write(name, await rig.close());
  });
}

/** A file a run: `<scenario>/<type>-<environment>-<number>.json`, an event a line. */
function write(scenario: string, runs: Run[]): void {
  mkdirSync(`${release}/${scenario}`, { recursive: true });
  const numbers = new Map<string, number>();
  for (const { workflowId, type, history } of runs.toReversed()) {
    const name = type === 'environment' ? `${type}-${workflowId.split('/')[2]}` : type;
    const number = (numbers.get(name) ?? 0) + 1;
    numbers.set(name, number);
    const { events } = JSON.parse(historyToJSON(history), withoutTraces) as { events: object[] };
    const lines = events.map((event) => JSON.stringify(event));
    const content = `{"events":[\n${lines.join(',\n')}\n]}\n`;
    const path = `${scenario}/${name}-${number}.json`;
    writeFileSync(`${release}/${path}`, content);
    appendFileSync(`${release}/${checksumFile}`, `${checksumOf(content)}  ${path}\n`);
  }
}

/** Leaves out where it ran and who ran it: no replay reads that. */
function withoutTraces(key: string, value: unknown): unknown {
  if (['stackTrace', 'identity', 'workerVersion', 'prevAutoResetPoints'].includes(key)) return undefined;
  if (key === 'taskQueue' && typeof value === 'object' && value !== null && 'normalName' in value) {
    return { name: value.normalName };
  }
  return value;
}
