import { createApi } from './server.js';

const gatewayUrl = process.env.GATEWAY_URL;
if (!gatewayUrl)
  throw new Error('Set GATEWAY_URL to the base of the FHIR gateway, such as http://fhir-gateway/fhir.');

const server = createApi({ gatewayUrl });
server.listen(Number(process.env.PORT ?? 8080), () => {
  console.log(JSON.stringify({ listening: server.address().port }));
});

// close() takes no new connections, ends idle ones and lets requests that are under way finish.
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close());
