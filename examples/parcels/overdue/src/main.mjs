import { report } from './report.mjs';

const hours = process.env.OVERDUE_AFTER_HOURS ?? '72';
const url = new URL(`/overdue?hours=${hours}`, process.env.LEDGER_URL ?? 'http://ledger');
const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
if (!response.ok) throw new Error(`The ledger says ${response.status}.`);
for (const line of report(await response.json())) console.log(line);
