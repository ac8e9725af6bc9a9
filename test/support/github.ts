import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** What this program asks of GitHub. */
const used: Record<string, string[]> = {
  '/repos/{owner}/{repo}': ['get'],
  '/repos/{owner}/{repo}/pulls': ['get', 'post'],
  '/repos/{owner}/{repo}/commits/{commit_sha}/pulls': ['get'],
  '/repos/{owner}/{repo}/pulls/{pull_number}': ['get', 'patch'],
  '/repos/{owner}/{repo}/pulls/{pull_number}/merge': ['put'],
  '/repos/{owner}/{repo}/pulls/{pull_number}/reviews': ['get'],
  '/repos/{owner}/{repo}/issues/{issue_number}/labels': ['post'],
  '/repos/{owner}/{repo}/collaborators/{username}/permission': ['get'],
  '/repos/{owner}/{repo}/git/refs/{ref}': ['delete'],
  '/repos/{owner}/{repo}/rules/branches/{branch}': ['get'],
};

const contentSchema = z
  .object({
    'application/json': z
      .object({
        schema: z.json().optional(),
        examples: z.record(z.string(), z.object({ value: z.unknown() })).optional(),
      })
      .optional(),
  })
  .optional();
const operationSchema = z.object({
  operationId: z.string(),
  parameters: z.array(
    z.object({ name: z.string(), in: z.string(), required: z.boolean().optional(), schema: z.json() }),
  ),
  requestBody: z.object({ content: contentSchema }).optional(),
  responses: z.record(z.string(), z.object({ content: contentSchema })),
});
type Operation = z.infer<typeof operationSchema> & { method: string; path: string };

/** GitHub's own description, as it publishes it. */
const description = fileURLToPath(
  import.meta.resolve('@octokit/openapi/generated/api.github.com.deref.json'),
);
const { paths } = z
  .object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
  .parse(JSON.parse(await readFile(description, 'utf8')));
const operations: Operation[] = Object.entries(used).flatMap(([path, methods]) =>
  methods.map((method) => ({
    ...operationSchema.parse(paths[path]?.[method]),
    method: method.toUpperCase(),
    path,
  })),
);

function exampleOf({ responses }: Operation, status = 200): unknown {
  const { examples = {} } = responses[status]?.content?.['application/json'] ?? {};
  return Object.values(examples)[0]?.value;
}

interface Request {
  operation: string;
  path: Record<string, string>;
  query: Record<string, string>;
  body: Record<string, unknown>;
}

/** What a test lets GitHub answer; `example` is the published example of the operation's answer. */
export type Answer = (
  request: Request,
  example: (status?: number) => unknown,
) => { status: number; body?: unknown; headers?: Record<string, string> };

export interface GitHub {
  url: string;
  requests: Request[];
  /** By operation ID; an operation that is not there is not expected. */
  answers: Record<string, Answer>;
  close(): Promise<void>;
}

/**
 * Stands in for GitHub, which tests cannot have. It knows only operations of GitHub's published OpenAPI description; a
 * request with a parameter or a body that the description does not allow is answered 400, and so is one that the test
 * does not expect. A status that the operation does not have fails as well.
 */
export async function startGitHub(answers: Record<string, Answer>): Promise<GitHub> {
  const requests: Request[] = [];
  const server = createServer((incoming, outgoing) => {
    void respond(incoming, answers, requests)
      .catch((error: unknown) => ({ status: 400, body: { message: String(error) }, headers: {} }))
      .then(({ status, body, headers }) => {
        outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
        outgoing.end(body === undefined ? undefined : JSON.stringify(body));
      });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answers,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

async function respond(incoming: IncomingMessage, answers: Record<string, Answer>, requests: Request[]) {
  const url = new URL(incoming.url ?? '', 'http://github');
  const { operation, path } = find(incoming.method ?? '', url.pathname.replace('/api/v3', ''));
  const query = Object.fromEntries(url.searchParams);
  const raw = await text(incoming);
  const body = z.record(z.string(), z.unknown()).parse(raw === '' ? {} : JSON.parse(raw));
  if (!/^(token|Bearer) \S+$/.test(incoming.headers.authorization ?? '')) throw new Error('no token');

  check(operation, 'path', path);
  check(operation, 'query', query);
  const bodySchema = operation.requestBody?.content?.['application/json']?.schema;
  if (bodySchema !== undefined) strict(bodySchema).parse(body);
  const request = { operation: operation.operationId, path, query, body };
  requests.push(request);

  const answer = answers[operation.operationId]?.(request, (status) => exampleOf(operation, status));
  if (!answer) throw new Error(`${operation.operationId} was not expected`);
  const documented = Object.keys(operation.responses);
  if (![...documented, '401', '403', '429', '502'].includes(String(answer.status))) {
    throw new Error(`${operation.operationId} never answers ${answer.status}, but ${documented.join(', ')}`);
  }
  return { headers: {}, body: undefined, ...answer };
}

function find(method: string, pathname: string): { operation: Operation; path: Record<string, string> } {
  for (const operation of operations.filter((one) => one.method === method)) {
    // A ref holds slashes; nothing else does.
    const pattern = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
      name === 'ref' ? '(?<ref>.+)' : `(?<${name}>[^/]+)`,
    );
    const found = new RegExp(`^${pattern}$`).exec(pathname);
    if (!found) continue;
    const path = Object.entries(found.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]);
    return { operation, path: Object.fromEntries(path) as Record<string, string> };
  }
  throw new Error(`GitHub has no ${method} ${pathname} among what is used of it`);
}

function check(operation: Operation, place: string, given: Record<string, string>): void {
  const parameters = operation.parameters.filter((parameter) => parameter.in === place);
  for (const [name, value] of Object.entries(given)) {
    const parameter = parameters.find((one) => one.name === name);
    if (!parameter) throw new Error(`${operation.operationId} has no ${place} parameter ${name}`);
    const isNumber = z.object({ type: z.literal('integer') }).safeParse(parameter.schema).success;
    schemaOf(parameter.schema).parse(isNumber ? Number(value) : value);
  }
  const missing = parameters.find(({ name, required }) => required && !(name in given));
  if (missing) throw new Error(`${operation.operationId} needs ${missing.name}`);
}

const schemaOf = (schema: z.core.util.JSONType): z.ZodType =>
  z.fromJSONSchema(z.record(z.string(), z.unknown()).parse(schema), { defaultTarget: 'openapi-3.0' });

/** A misspelt property is a mistake here, although GitHub ignores it. */
const strict = (schema: z.core.util.JSONType): z.ZodType => {
  const object = z.record(z.string(), z.json()).parse(schema);
  return schemaOf('properties' in object ? { ...object, additionalProperties: false } : object);
};
