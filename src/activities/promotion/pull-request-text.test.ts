import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Release } from '../../model/delivery/change.ts';
import { inlineCode } from '../../model/text/markdown.ts';
import { pullRequestBody, pullRequestTitle, type PullRequestFacts } from './pull-request-text.ts';

const commit = '1234567890'.repeat(4);
const release: Release = {
  change: { service: 'api', commit },
  source: {
    position: 3,
    subject: 'Check eligibility dates',
    authors: ['Ann <ann@example.com>'],
    committedAt: '2026-01-01T00:00:00Z',
    base: 'b'.repeat(40),
    paths: [],
  },
  image: { name: 'registry/api', digest: `sha256:${'d'.repeat(64)}` },
};
const facts: PullRequestFacts = {
  environment: 'production',
  release,
  approval: { by: 'decisions', quorum: 2, expiresAfterMs: 1, deciders: ['board-1', 'board-2', 'developer'] },
  commits: [
    {
      sha: commit,
      subject: 'Check eligibility dates',
      authors: ['Ann <ann@example.com>'],
      committedAt: '2026-01-01T00:00:00Z',
    },
  ],
  rejected: [],
  authors: ['developer'],
  diff: { key: 'diffs/x.diff', summary: '1 changed', text: '-  image: old\n+  image: new' },
};

test('the title names service, commit and environment', () => {
  expect(pullRequestTitle('staging', release)).toBe('Release api 123456789012 to staging');
});

test('a commit that somebody rejected before is marked, with what was said', () => {
  const reason = 'board-1 rejected it: prices are not `final`';
  expect(pullRequestBody({ ...facts, rejected: [{ commit, reason }] })).toContain(
    '- 123456789012 `Check eligibility dates` (`Ann`) **was rejected here before**: `` board-1 rejected it: prices are not `final` ``',
  );
});

test('the body tells what would change, who may approve, and how', () => {
  expect(pullRequestBody(facts))
    .toBe(`Brings \`api/${commit}\` to **production**, where nothing is known to run.

- change: \`Check eligibility dates\`
- image: \`registry/api@sha256:${'d'.repeat(64)}\`

It waits for 2 of \`board-1\`, \`board-2\` (its authors may not: \`developer\`).

Approve: \`gitops approve api/${commit} --environment production\`  
Reject: \`gitops reject api/${commit} --environment production\`

### Commits of api

- 123456789012 \`Check eligibility dates\` (\`Ann\`)

### What would change

\`1 changed\`

\`\`\`diff
-  image: old
+  image: new
\`\`\`

The whole diff: \`diffs/x.diff\` in the object store.

This pull request belongs to the delivery: it is merged by it, and an edit of its branch, another base, or a merge by hand before its review ends it.`);
});

test('a diff that would fill the page is cut, and says where the whole is', () => {
  const body = pullRequestBody({
    ...facts,
    diff: { key: 'diffs/x.diff', summary: '', text: '+\n'.repeat(100_000) },
  });
  expect(body.length).toBeLessThan(60_000);
  expect(body).toContain('Cut off here. The whole diff: `diffs/x.diff`');
});

test('many commits are counted, not listed', () => {
  const commits = Array.from({ length: 180 }, () => facts.commits[0] ?? expect.fail());
  expect(pullRequestBody({ ...facts, commits })).toContain('- and 130 older ones');
});

/** What a forge makes of a code span: https://spec.commonmark.org/0.31.2/#code-spans */
function spanOf(markdown: string): string | undefined {
  const [, fence = '', content] = /^(`+)(.*?[^`])\1(?!`)$/s.exec(markdown) ?? [];
  return fence && content;
}

test.each([
  ['**bold**', '@team/security', '<!channel>', '[x](http://evil)', '![](http://evil/p.png)', 'closes #1'],
  ['`code`', '``', '```\n# heading', '<script>alert(1)</script>', '\u001b[31mred', '\u202egnp.exe', '# h'],
])('what people wrote takes no effect', (...texts) => {
  for (const text of texts) {
    const code = inlineCode(text);
    expect(spanOf(code)).toBeDefined();
    expect(code).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
});

test('whatever a subject holds, it stays one code span', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('`', 'a', '\n', '<', '\u001b', '@') }), (text) => {
      expect(spanOf(inlineCode(text))).toBeDefined();
    }),
  );
});

test('whatever a diff holds, it does not leave its block', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('`', '~', '\n', 'a', '#') }), (text) => {
      const body = pullRequestBody({ ...facts, diff: { key: 'k', summary: 's', text } });
      const [fence = ''] = /^`{3,}(?=diff$)/m.exec(body) ?? [];
      expect(text).not.toContain(fence);
    }),
  );
});

test('where its manifests are of another repository, the body tells of which commit', () => {
  const manifests = 'e'.repeat(40);
  const apart = { ...release, source: { ...release.source, manifests } };
  expect(pullRequestBody({ ...facts, release: apart })).toContain(
    `\`Check eligibility dates\`\n- manifests: as of \`${manifests}\`\n- image: `,
  );
});
