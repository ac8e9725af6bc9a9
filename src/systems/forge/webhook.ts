import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { issueText } from '../../model/text/issue-text.ts';

/** What a forge told. It only says where to look: it may be late, replayed or out of order. */
export type ForgeEvent = { repository: string } & (
  | { kind: 'push'; branch: string }
  | { kind: 'pull-request'; number: number; branch: string }
  | { kind: 'other'; name: string }
);

/** Why a request is not an event of our forge. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
  readonly status: 400 | 401;

  constructor(status: 400 | 401, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Whether the body was signed with the secret: HMAC-SHA-256 of the raw bytes, in hex, as `X-Hub-Signature-256:
 * sha256=…` (GitHub, Gitea, Forgejo) or `X-Gitea-Signature` (older Gitea). GitHub's SHA-1 header is not looked at.
 *
 * @throws EventRefused
 */
export function verifySignature(headers: Headers, body: Uint8Array, secret: string): void {
  const signature = signatureIn(headers);
  const expected = createHmac('sha256', secret).update(body).digest();
  // Of equal length by its pattern, so the comparison takes the same time whatever it holds.
  if (!timingSafeEqual(Buffer.from(signature, 'hex'), expected)) {
    throw new EventRefused(401, 'The signature is not that of this body with our secret.');
  }
}

/** @throws EventRefused: known before a single byte of the body is read */
export function signatureIn(headers: Headers): string {
  const given =
    headers.get('x-hub-signature-256')?.replace(/^sha256=/, '') ?? headers.get('x-gitea-signature');
  if (given === undefined || given === null) {
    throw new EventRefused(
      401,
      'Not signed with SHA-256. Give the webhook the secret that forge.webhookSecret in gitops.yaml refers to.',
    );
  }
  if (!/^[0-9a-f]{64}$/.test(given)) throw new EventRefused(401, 'The signature is no SHA-256 in hex.');
  return given;
}

/** The sender's ID of this delivery of the event; the same again when it is redelivered. @throws EventRefused */
export function deliveryIdIn(headers: Headers): string {
  const id = headers.get('x-github-delivery') ?? headers.get('x-gitea-delivery');
  if (id === null || !/^[\w-]{1,64}$/.test(id)) {
    throw new EventRefused(400, 'It has no delivery ID, so a replay could not be told from the first.');
  }
  return id;
}

const repositorySchema = z.object({ full_name: z.string() });
const pushSchema = z.object({ repository: repositorySchema, ref: z.string() });
const pullRequestSchema = z.object({
  repository: repositorySchema,
  action: z.string().optional(),
  pull_request: z.object({
    number: z.int().positive(),
    head: z.object({ ref: z.string(), label: z.string() }),
  }),
});
const otherSchema = z.object({ repository: repositorySchema.optional() });

/**
 * What happens to a pull request and changes nothing that a promotion reads of it. Mostly the promotion did it itself:
 * each would cost a signal, which is billed, and another look at the forge.
 */
const ignoredActions = new Set([
  'opened',
  'labeled',
  'unlabeled',
  'label_updated',
  'label_cleared',
  'review_requested',
]);

/**
 * Reads a body whose signature is right. Gitea has an event for each sort of review (`pull_request_approved`), so
 * whatever begins with `pull_request` is about one.
 *
 * @throws EventRefused
 */
export function readEvent(headers: Headers, body: Uint8Array): ForgeEvent {
  const name = headers.get('x-github-event') ?? headers.get('x-gitea-event') ?? '';
  const json = parseJson(body);
  if (name === 'push') {
    const { repository, ref } = read(pushSchema, json, name);
    const branch = ref.replace(/^refs\/heads\//, '');
    return { kind: 'push', repository: repository.full_name, branch };
  }
  if (name.startsWith('pull_request')) {
    const { repository, pull_request, action = '' } = read(pullRequestSchema, json, name);
    if (ignoredActions.has(action))
      return { kind: 'other', repository: repository.full_name, name: `${name} ${action}` };
    const { number, head } = pull_request;
    // Gitea's `ref` is not the branch's once the branch is gone; its label is, where GitHub's is `owner:branch`.
    const branch = head.ref.startsWith('refs/pull/') ? head.label : head.ref;
    return { kind: 'pull-request', repository: repository.full_name, number, branch };
  }
  return { kind: 'other', repository: read(otherSchema, json, name).repository?.full_name ?? '', name };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new EventRefused(400, 'The body is not JSON. Set the webhook’s content type to application/json.');
  }
}

function read<T>(schema: z.ZodType<T>, json: unknown, name: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const wrong = issueText(parsed.error.issues.slice(0, 1));
  throw new EventRefused(400, `Not what a forge says about ${name}: ${wrong}.`);
}
