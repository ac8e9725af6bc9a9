import { createServer } from 'node:http';
import { isOpen } from './hours.mjs';

const server = createServer((_, response) => response.end(isOpen(new Date()) ? 'open\n' : 'closed\n'));
server.listen(8080);
process.once('SIGTERM', () => server.close());
