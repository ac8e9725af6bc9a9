/**
 * Cuts out of GitHub's published OpenAPI description what the fake in test/support/github.ts checks requests against and
 * answers with: `npm pack @octokit/openapi@23.0.2`, unpack, then `node scripts/github-schema.ts package/generated`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const operations: Record<string, string[]> = {
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

const mediaSchema = z.object({
  schema: z.unknown(),
  examples: z.record(z.string(), z.object({ value: z.unknown() })).optional(),
});
const contentSchema = z.object({ 'application/json': mediaSchema.optional() }).optional();
const operationSchema = z.object({
  operationId: z.string(),
  parameters: z.array(
    z.object({ name: z.string(), in: z.string(), required: z.boolean().optional(), schema: z.unknown() }),
  ),
  requestBody: z.object({ content: contentSchema }).optional(),
  responses: z.record(z.string(), z.object({ content: contentSchema })),
});
const descriptionSchema = z.object({
  info: z.object({ version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
});

const [folder = '.'] = process.argv.slice(2);
const { info, paths } = descriptionSchema.parse(
  JSON.parse(await readFile(join(folder, 'api.github.com.deref.json'), 'utf8')),
);
const cut = Object.entries(operations).flatMap(([path, methods]) =>
  methods.map((method) => {
    const { operationId, parameters, requestBody, responses } = operationSchema.parse(paths[path]?.[method]);
    return {
      operationId,
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody?.content?.['application/json']?.schema,
      answers: Object.fromEntries(
        Object.entries(responses).map(([status, { content }]) => [status, exampleIn(content) ?? null]),
      ),
    };
  }),
);
const source = '@octokit/openapi@23.0.2 (MIT), api.github.com, cut by scripts/github-schema.ts';
await writeFile(
  'test/support/github-openapi.json',
  `${JSON.stringify({ source, version: info.version, operations: cut })}\n`,
);

function exampleIn(content: z.infer<typeof contentSchema>): unknown {
  return Object.values(content?.['application/json']?.examples ?? {})[0]?.value;
}
