import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eligibilityOf } from '../src/eligibility.js';
import { problemsOf } from '../src/submission.js';
import submission from './submission.json' with { type: 'json' };

const fields = (problems) => problems.map(({ field }) => field);

test('a complete submission has no problems', () => {
  assert.deepEqual(problemsOf(submission), []);
});

test('a submission without eligibility is complete: the rules are for claims-scrubbing', () => {
  assert.deepEqual(problemsOf({ ...submission, eligibility: undefined }), []);
});

for (const [field, change] of Object.entries({
  claimNumber: { claimNumber: '' },
  type: { type: 'dental' },
  'patient.nationalId': { patient: { ...submission.patient, nationalId: '1000000009' } },
  coverage: { coverage: { ...submission.coverage, to: '2024-12-31' } },
  diagnoses: { diagnoses: [] },
  services: { services: {} },
  'services[0].date': { services: [{ ...submission.services[0], date: '2025-02-30' }] },
  'services[0].quantity': { services: [{ ...submission.services[0], quantity: 1.5 }] },
  'services[0].unitPrice': { services: [{ ...submission.services[0], unitPrice: 0.001 }] },
  'eligibility.checkedOn': { eligibility: { reference: 'E-1', checkedOn: 'yesterday' } },
})) {
  test(`a problem is told by its field: ${field}`, () => {
    assert.deepEqual(fields(problemsOf({ ...submission, ...change })), [field]);
  });
}

for (const junk of [null, true, 0, 'text', [], {}, [[]], [{}]]) {
  test(`${JSON.stringify(junk)} anywhere is a problem and no crash`, () => {
    assert.notDeepEqual(problemsOf(junk), []);
    for (const element of Object.keys(submission)) problemsOf({ ...submission, [element]: junk });
  });
}

test('a coverage is in force from its first day to its last', () => {
  const { coverage } = submission;
  const eligible = (serviceDate) => eligibilityOf({ coverage, serviceDate }).eligible;
  assert.deepEqual(['2024-12-31', '2025-01-01', '2025-12-31', '2026-01-01'].map(eligible), [
    false,
    true,
    true,
    false,
  ]);
});

test('an eligibility request that lacks its day is told so', () => {
  assert.deepEqual(fields(eligibilityOf({ coverage: submission.coverage }).problems), ['serviceDate']);
  assert.deepEqual(fields(eligibilityOf(null).problems).at(-1), 'serviceDate');
});
