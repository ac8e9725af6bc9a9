import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { submissionOf, verdictOf } from '../public/claim-form.js';

/** The form as the page has it, with its default values. */
function pageForm(change = {}) {
  const page = readFileSync(new URL('../public/index.html', import.meta.url), 'utf8');
  const form = new FormData();
  for (const [, name, rest] of page.matchAll(/<input name="(\w+)"([^>]*)/g)) {
    form.set(name, change[name] ?? rest.match(/ value="([^"]*)"/)?.[1] ?? '');
  }
  return form;
}

test('the form becomes a submission', () => {
  const submission = submissionOf(pageForm({ claimNumber: 'W-1', eligibilityDate: '2025-09-14' }));
  assert.equal(submission.claimNumber, 'W-1');
  assert.deepEqual(submission.eligibility, { reference: 'ELG-88213', checkedOn: '2025-09-14' });
  assert.equal(submission.services[0].unitPrice, 150);
});

test('an eligibility that was not checked is left out', () => {
  assert.equal('eligibility' in submissionOf(pageForm()), false);
});

test('each answer of the API is told in words', () => {
  const problems = [{ field: 'type', message: 'is missing' }];
  const findings = [{ rule: 'total', where: 'Claim.total', message: 'it is 1' }];
  const titles = [
    verdictOf(200, { accepted: true, findings: [] }),
    verdictOf(200, { accepted: false, findings }),
    verdictOf(200, { eligible: false, reason: 'The coverage ended.' }),
    verdictOf(422, { problems }),
    verdictOf(503, { error: 'The gateway is away.' }),
    verdictOf(502, {}),
  ].map(({ good, title }) => [good, title]);
  assert.deepEqual(titles, [
    [true, 'The claim breaks no rule.'],
    [false, 'The claim breaks 1 rule.'],
    [false, 'The coverage ended.'],
    [false, 'The form is not complete.'],
    [false, 'The gateway is away.'],
    [false, 'The API answered 502.'],
  ]);
  assert.deepEqual(verdictOf(200, { accepted: false, findings }).lines, ['total: it is 1 (Claim.total)']);
});
