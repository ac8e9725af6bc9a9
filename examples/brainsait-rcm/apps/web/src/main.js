import { createWeb } from './server.js';

const { API_URL, ENVIRONMENT, PORT = '8080' } = process.env;
if (!API_URL || !ENVIRONMENT)
  throw new Error('Set API_URL, such as http://api, and ENVIRONMENT, such as staging.');

const server = createWeb({ apiUrl: API_URL, environment: ENVIRONMENT });
server.listen(Number(PORT), () => {
  console.log(JSON.stringify({ listening: server.address().port }));
});

// close() takes no new connections, ends idle ones and lets requests that are under way finish.
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close());
