import assert from 'node:assert';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { createIntake } from '../src/server.mjs';

async function listening(server, t) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return new URL(`http://127.0.0.1:${server.address().port}`);
}

async function intakeOver(answer, t) {
  const ledger = await listening(createServer(answer), t);
  return listening(createIntake(ledger), t);
}

const post = (url, barcode) =>
  fetch(new URL('/parcels', url), { method: 'POST', body: JSON.stringify({ barcode }) });

test('a parcel with a barcode is entered into the ledger', async (t) => {
  const url = await intakeOver((request, response) => response.end(JSON.stringify({ url: request.url })), t);
  const response = await post(url, 'RR473124829SA');
  assert.equal(response.status, 201);
  assert.deepEqual(await response.json(), { url: '/events' });
});

test('a misread barcode is refused before the ledger is asked', async (t) => {
  const url = await intakeOver(() => assert.fail('it was asked'), t);
  assert.equal((await post(url, 'RR473124828SA')).status, 400);
});

test('a ledger in trouble is not taken for a parcel that is unknown', async (t) => {
  const url = await intakeOver((_, response) => response.writeHead(500).end(), t);
  assert.equal((await post(url, 'RR473124829SA')).status, 502);
});
