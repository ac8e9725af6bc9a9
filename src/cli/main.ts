import { overview } from './commands.ts';
import { version } from './version.ts';

const argv = process.argv.slice(2);
const [first] = argv;

if (first === undefined) {
  process.stderr.write(overview());
  process.exitCode = 2;
} else if (first === '--help' || first === '-h' || (first === 'help' && argv.length === 1)) {
  process.stdout.write(overview());
} else if (first === '--version' || first === '-V') {
  process.stdout.write(`${version()}\n`);
} else {
  const { run } = await import('./run.ts');
  process.exitCode = await run(first === 'help' ? [...argv.slice(1), '--help'] : argv);
}
