import { createIntake } from './server.mjs';

const server = createIntake(new URL(process.env.LEDGER_URL ?? 'http://ledger'));
server.listen(8080);
process.once('SIGTERM', () => server.close());
