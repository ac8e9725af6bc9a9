import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const PAGES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript'],
  '/claim-form.js': ['claim-form.js', 'text/javascript'],
  '/style.css': ['style.css', 'text/css'],
};
const API_PATHS = ['/api/claims', '/api/eligibility'];
const MAX_BODY_BYTES = 1_000_000;
/** The API waits 8 seconds for the gateway itself. */
const API_TIMEOUT_MS = 10_000;

/**
 * The page on which a clinic submits a claim, and the way from it to the API, so that the browser needs no other
 * origin.
 *
 * @param {{ apiUrl: string, environment: string }} settings `environment` is shown on the page
 */
export function createWeb({ apiUrl, environment }) {
  const pages = readPages(environment);
  const server = createServer(async (request, response) => {
    const {
      status,
      type = 'application/json',
      content,
    } = await answer(request, pages, apiUrl).catch(
      // A body that broke off; nobody is there to read this.
      () => json(400, { error: 'The body is incomplete.' }),
    );
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(content),
      'content-security-policy': "default-src 'self'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    });
    response.end(content);
  });
  // A request must be here in full within 10 seconds.
  server.requestTimeout = 10_000;
  return server;
}

/** All pages, read once: they are part of the image. */
function readPages(environment) {
  if (!/^[a-z0-9-]+$/.test(environment))
    throw new Error('Name the environment in small letters, such as staging.');
  const pages = new Map();
  for (const [path, [file, type]] of Object.entries(PAGES)) {
    const content = readFileSync(new URL(`../public/${file}`, import.meta.url), 'utf8');
    pages.set(path, { status: 200, type, content: content.replace('%ENVIRONMENT%', environment) });
  }
  return pages;
}

async function answer(request, pages, apiUrl) {
  const { method, url } = request;
  if (method === 'GET' && (url === '/healthz' || url === '/readyz')) return json(200, { status: 'ok' });
  if (method === 'GET' && pages.has(url)) return pages.get(url);
  if (method === 'POST' && API_PATHS.includes(url))
    return forward(request, apiUrl + url.slice('/api'.length));
  return json(404, { error: 'There is no such page.' });
}

async function forward(request, url) {
  const body = await bodyOf(request);
  if (body === undefined) return json(413, { error: `A body has at most ${MAX_BODY_BYTES} bytes.` });
  try {
    const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(API_TIMEOUT_MS) });
    return { status: response.status, content: await response.text() };
  } catch {
    return json(503, { error: 'The API cannot be reached.' });
  }
}

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  // Left open on refusal: the refusal goes back over the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const json = (status, body) => ({ status, content: JSON.stringify(body) });
