import { parseArgs } from 'node:util';
import { allMet, type Parameters, type Report } from './harness.ts';
import { text } from './text.ts';

const benches: Record<string, () => Promise<{ run: (parameters: Parameters) => Promise<Report> }>> = {
  start: () => import('./start.ts'),
  'manifest-writes': () => import('./manifest-writes.ts'),
  'commit-to-dev': () => import('./commit-to-dev.ts'),
  overhead: () => import('./overhead.ts'),
  cost: () => import('./cost.ts'),
  crowd: () => import('./crowd/index.ts'),
  backup: () => import('./backup.ts'),
  restore: () => import('./restore.ts'),
  recreate: () => import('./recreate.ts'),
};

const usage = `Usage: npm run bench -- [NAME…] [--json] [--rounds N] [--writers N,N] [--services N,N]

Measures against comparators, both sides in one run, on the stack (make up && source .stack/env). Without a name: all.
Benches: ${Object.keys(benches).join(', ')}. docs/performance.md tells how to read them.
Exit codes: 0 every bar was met; 1 one was missed; 2 wrong usage.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
    rounds: { type: 'string' },
    writers: { type: 'string' },
    services: { type: 'string' },
  },
});
const unknown = positionals.filter((name) => !Object.hasOwn(benches, name));

if (values.help) process.stdout.write(usage);
else if (unknown.length > 0) {
  process.stderr.write(`There is no bench ${unknown.join(', ')}.\n\n${usage}`);
  process.exitCode = 2;
} else {
  const names = positionals.length > 0 ? positionals : Object.keys(benches);
  const parameters: Parameters = {
    rounds: values.rounds === undefined ? undefined : Number(values.rounds),
    writers: values.writers?.split(',').map(Number),
    services: values.services?.split(',').map(Number),
  };
  const reports = [];
  for (const name of names) {
    const report = await (await benches[name]?.())?.run(parameters);
    if (!report) continue;
    reports.push({ bench: name, ...report });
    if (!values.json) process.stdout.write(text(name, report));
  }
  if (values.json) {
    process.stdout.write(`${JSON.stringify(reports.length === 1 ? reports[0] : reports, null, 2)}\n`);
  }
  process.exitCode = reports.every(allMet) ? 0 : 1;
}
