import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { createApi } from '../src/server.js';
import submission from './submission.json' with { type: 'json' };

/** What the gateway answers next; the API is tested before a gateway of a few lines. */
let gatewayAnswer;
let gateway;
let api;

before(async () => {
  gateway = createServer((request, response) => {
    response.writeHead(gatewayAnswer.status ?? 200).end(JSON.stringify(gatewayAnswer.body));
  }).listen(0);
  await once(gateway, 'listening');
  api = createApi({ gatewayUrl: `http://127.0.0.1:${gateway.address().port}/fhir` }).listen(0);
  await once(api, 'listening');
});

after(() => {
  for (const server of [api, gateway]) server.close();
});

const post = async (path, body) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`http://127.0.0.1:${api.address().port}${path}`, {
    method: 'POST',
    body: text,
  });
  return { status: response.status, body: await response.json() };
};
const answering = (resource) => ({ body: { entry: [{}, { resource }] } });

test('a claim that breaks no rule is accepted', async () => {
  gatewayAnswer = answering({ resourceType: 'ClaimResponse' });
  assert.deepEqual(await post('/claims', submission), {
    status: 200,
    body: { accepted: true, findings: [] },
  });
});

test('the broken rules come back by name', async () => {
  const issue = {
    details: { coding: [{ code: 'total' }] },
    expression: ['Claim.total'],
    diagnostics: 'it is 1',
  };
  gatewayAnswer = answering({ resourceType: 'OperationOutcome', issue: [issue] });
  const { body } = await post('/claims', submission);
  assert.deepEqual(body, {
    accepted: false,
    findings: [{ rule: 'total', where: 'Claim.total', message: 'it is 1' }],
  });
});

test('a gateway that fails is no verdict on the claim', async () => {
  gatewayAnswer = { status: 503, body: {} };
  assert.equal((await post('/claims', submission)).status, 503);
  gatewayAnswer = { body: {} };
  assert.equal((await post('/claims', submission)).status, 503);
});

test('a submission with problems never reaches the gateway', async () => {
  gatewayAnswer = { status: 500, body: {} };
  const { status, body } = await post('/claims', { ...submission, type: 'dental' });
  assert.equal(status, 422);
  assert.equal(body.problems[0].field, 'type');
});

test('eligibility is answered, or its problems are', async () => {
  const { coverage } = submission;
  assert.equal((await post('/eligibility', { coverage, serviceDate: '2025-09-14' })).body.eligible, true);
  assert.equal((await post('/eligibility', {})).status, 422);
});

test('what is not taken is refused', async () => {
  assert.equal((await post('/claims', 'not json')).status, 400);
  assert.equal((await post('/claims', ' '.repeat(1_000_001))).status, 413);
  assert.equal((await post('/patients', {})).status, 404);
});

test('a body that breaks off harms nobody else', async () => {
  const { port } = api.address();
  const socket = connect(port).end('POST /claims HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{');
  await once(socket.resume(), 'close');
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
});

test('SIGTERM ends the process cleanly, and nothing of a claim was logged', async () => {
  const environment = { ...process.env, PORT: '0', GATEWAY_URL: 'http://127.0.0.1:9/fhir' };
  const running = spawn(process.execPath, ['src/main.js'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = [];
  running.stdout.on('data', (data) => lines.push(...data.toString().trim().split('\n')));
  await once(running.stdout, 'data');
  const { listening } = JSON.parse(lines[0]);
  const url = `http://127.0.0.1:${listening}`;
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  assert.equal(
    (await fetch(`${url}/claims`, { method: 'POST', body: JSON.stringify(submission) })).status,
    503,
  );
  running.kill('SIGTERM');
  assert.deepEqual(await once(running, 'close'), [0, null]);
  assert.deepEqual(lines.slice(1), ['{"request":"POST /claims","status":503}']);
});
