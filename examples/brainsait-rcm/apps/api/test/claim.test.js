import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimRequest } from '../src/claim.js';
import submission from './submission.json' with { type: 'json' };

const claimOf = (change = {}) => claimRequest({ ...submission, ...change }, '2025-09-15').entry[1].resource;

test('a claim request holds its header, the claim, the patient and the coverage', () => {
  const { entry } = claimRequest(submission, '2025-09-15');
  assert.deepEqual(
    entry.map(({ resource }) => resource.resourceType),
    ['MessageHeader', 'Claim', 'Patient', 'Coverage'],
  );
  assert.equal(entry[0].resource.focus[0].reference, `Claim/${entry[1].resource.id}`);
});

test('the billable period spans all services and the accounting period is the month of the first', () => {
  const [service] = submission.services;
  const claim = claimOf({
    services: [
      { ...service, date: '2025-09-02' },
      { ...service, date: '2025-08-31' },
    ],
  });
  assert.deepEqual(claim.billablePeriod, { start: '2025-08-31', end: '2025-09-02' });
  assert.equal(claim.extension[0].valueDate, '2025-08-01');
});

test('money is exact to the halala', () => {
  const [service] = submission.services;
  const claim = claimOf({
    services: [
      { ...service, quantity: 3, unitPrice: 0.1, tax: 0 },
      { ...service, tax: 0.2 },
    ],
  });
  assert.deepEqual(
    claim.item.map(({ net }) => net.value),
    [0.3, 150.2],
  );
  assert.deepEqual(claim.total, { value: 150.5, currency: 'SAR' });
});

test('the first diagnosis is the principal one', () => {
  const kinds = claimOf({ diagnoses: ['J06.9', 'R50.9'] }).diagnosis.map(
    ({ type }) => type[0].coding[0].code,
  );
  assert.deepEqual(kinds, ['principal', 'secondary']);
});

test('when eligibility was checked travels with the claim, and is absent when it was not', () => {
  const dates = (claim) => claim.extension.map(({ valueDateTime }) => valueDateTime).filter(Boolean);
  assert.deepEqual(dates(claimOf()), ['2025-09-14']);
  assert.deepEqual(dates(claimOf({ eligibility: undefined })), []);
});
