import { createServer } from 'node:http';
import { claimRequest } from './claim.js';
import { eligibilityOf } from './eligibility.js';
import { send, Unavailable } from './gateway.js';
import { problemsOf } from './submission.js';

const MAX_BODY_BYTES = 1_000_000;

/**
 * The API for clinics' software.
 *
 *   POST /claims       a submission -> 200 { accepted, findings }, 422 { problems }, 503 { error }
 *   POST /eligibility  { coverage, serviceDate } -> 200 { eligible, reason }, 422 { problems }
 *   GET  /healthz, /readyz
 *
 * @param {{ gatewayUrl: string }} settings
 */
export function createApi({ gatewayUrl }) {
  const server = createServer(async (request, response) => {
    const answer = await route(request, gatewayUrl).catch(failure);
    const content = JSON.stringify(answer.body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) };
    response.writeHead(answer.status, headers).end(content);
    // Paths and statuses only: a claim is health data and stays out of logs.
    if (!isProbe(request))
      console.log(JSON.stringify({ request: `${request.method} ${request.url}`, status: answer.status }));
  });
  // A request must be here in full within 10 seconds.
  server.requestTimeout = 10_000;
  return server;
}

async function route(request, gatewayUrl) {
  switch (`${request.method} ${request.url}`) {
    case 'GET /healthz':
    case 'GET /readyz':
      return { status: 200, body: { status: 'ok' } };
    case 'POST /eligibility': {
      const answer = eligibilityOf(await json(request));
      return { status: 'problems' in answer ? 422 : 200, body: answer };
    }
    case 'POST /claims': {
      const submission = await json(request);
      const problems = problemsOf(submission);
      if (problems.length > 0) return { status: 422, body: { problems } };
      return { status: 200, body: await send(gatewayUrl, claimRequest(submission, todayInRiyadh())) };
    }
    default:
      return { status: 404, body: { error: 'There is POST /claims and POST /eligibility.' } };
  }
}

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function failure(error) {
  if (error instanceof Refusal) return { status: error.status, body: { error: error.message } };
  if (error instanceof Unavailable) return { status: 503, body: { error: error.message } };
  // A body that broke off; nobody is there to read this.
  if (error.code === 'ECONNRESET') return { status: 400, body: { error: 'The body is incomplete.' } };
  console.error(error);
  return { status: 500, body: { error: 'This is a fault of the API.' } };
}

async function json(request) {
  const chunks = [];
  let size = 0;
  // Left open on refusal: the refusal goes back over the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Refusal(413, `A body has at most ${MAX_BODY_BYTES} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new Refusal(400, 'The body is not JSON.');
  }
}

const isProbe = ({ url }) => url === '/healthz' || url === '/readyz';

// The Swedish locale writes dates as ISO 8601 does.
const todayInRiyadh = () => new Date().toLocaleDateString('sv', { timeZone: 'Asia/Riyadh' });
