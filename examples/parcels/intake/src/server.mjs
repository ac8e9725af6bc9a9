// POST /parcels {"barcode": "…"}   201, and the ledger knows of it; 400 where it is no barcode
// GET  /parcels/BARCODE            what the ledger knows
// GET  /healthz
import { createServer } from 'node:http';
import { isBarcode } from '../../libs/barcode/barcode.mjs';

const mostBytes = 10_000;

/** @param {URL} ledger */
export const createIntake = (ledger) =>
  createServer(async (request, response) => {
    const answer = (status, body) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    };
    const { pathname } = new URL(request.url, 'http://localhost');
    try {
      if (pathname === '/healthz') return answer(200, { status: 'ok' });
      if (request.method === 'POST' && pathname === '/parcels') {
        const { barcode } = await read(request);
        if (!isBarcode(barcode)) return answer(400, { error: `${barcode} is no barcode.` });
        return answer(201, await ask(new URL('/events', ledger), { barcode, event: 'accepted' }));
      }
      if (request.method === 'GET' && /^\/parcels\/\w+$/.test(pathname)) {
        return answer(200, await ask(new URL(pathname, ledger)));
      }
      return answer(404, { error: `There is no ${pathname} here.` });
    } catch (error) {
      return answer(error instanceof SyntaxError ? 400 : 502, { error: error.message });
    }
  });

async function read(request) {
  let text = '';
  for await (const part of request) {
    text += part;
    if (text.length > mostBytes) throw new SyntaxError('A parcel has fewer bytes.');
  }
  return JSON.parse(text);
}

async function ask(url, body) {
  const sent = body && { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(url, { ...sent, signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`The ledger says ${response.status}.`);
  return response.json();
}
