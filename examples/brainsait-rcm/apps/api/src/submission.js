/**
 * What a clinic's software sends, and what is wrong with it. The shape is the clinic's own, without FHIR:
 *
 *   { claimNumber, type: 'professional' | …, visit: 'op' | 'ip' | 'emr',
 *     patient: { nationalId, name }, coverage: { memberId, insurer, from, to },
 *     provider, practitioner, diagnoses: ['J06.9', …] (the first is the principal one),
 *     eligibility: { reference, checkedOn }?,
 *     services: [{ date, code, name, quantity, unitPrice, tax? }] }
 *
 * Dates are YYYY-MM-DD, licences and numbers are text, money is riyals with at most two decimals.
 */

/** @typedef {{ field: string, message: string }} Problem */

const TYPES = ['institutional', 'oral', 'pharmacy', 'professional', 'vision'];
const VISITS = ['emr', 'ip', 'op'];

/** @returns {Problem[]} */
export function problemsOf(submission) {
  const problems = [];
  const expect = (holds, field, message) => holds || problems.push({ field, message });

  expect(isText(submission?.claimNumber), 'claimNumber', 'is missing');
  expect(TYPES.includes(submission?.type), 'type', `must be one of ${TYPES.join(', ')}`);
  expect(VISITS.includes(submission?.visit), 'visit', `must be one of ${VISITS.join(', ')}`);
  expect(
    isNationalId(submission?.patient?.nationalId),
    'patient.nationalId',
    'is no Saudi ID or Iqama number',
  );
  expect(isText(submission?.patient?.name), 'patient.name', 'is missing');
  expect(isText(submission?.provider), 'provider', 'is missing');
  expect(isText(submission?.practitioner), 'practitioner', 'is missing');
  problems.push(...problemsOfCoverage(submission?.coverage));

  const { diagnoses, services, eligibility } = submission ?? {};
  expect(isListOf(diagnoses, isText), 'diagnoses', 'must be a list of ICD-10-AM codes');
  expect(
    Array.isArray(services) && services.length > 0,
    'services',
    'must be a list of at least one service',
  );
  for (const [index, service] of Array.isArray(services) ? services.entries() : []) {
    const at = `services[${index}]`;
    expect(isDay(service?.date), `${at}.date`, 'must be a day');
    expect(isText(service?.code), `${at}.code`, 'is missing');
    expect(isText(service?.name), `${at}.name`, 'is missing');
    expect(
      Number.isInteger(service?.quantity) && service.quantity > 0,
      `${at}.quantity`,
      'must be 1 or more',
    );
    expect(isMoney(service?.unitPrice), `${at}.unitPrice`, 'must be riyals with at most two decimals');
    expect(isMoney(service?.tax ?? 0), `${at}.tax`, 'must be riyals with at most two decimals');
  }
  if (eligibility !== undefined) {
    expect(isText(eligibility?.reference), 'eligibility.reference', 'is missing');
    expect(isDay(eligibility?.checkedOn), 'eligibility.checkedOn', 'must be a day');
  }
  return problems;
}

/** @returns {Problem[]} */
export function problemsOfCoverage(coverage) {
  const problems = [];
  if (!isText(coverage?.memberId)) problems.push({ field: 'coverage.memberId', message: 'is missing' });
  if (!isText(coverage?.insurer)) problems.push({ field: 'coverage.insurer', message: 'is missing' });
  if (!isDay(coverage?.from) || !isDay(coverage?.to) || coverage.from > coverage.to) {
    problems.push({ field: 'coverage', message: 'needs two days, from and to, in this order' });
  }
  return problems;
}

export const isDay = (value) =>
  typeof value === 'string' &&
  /^\d{4}-\d{2}-\d{2}$/.test(value) &&
  !Number.isNaN(Date.parse(value)) &&
  new Date(value).toISOString().startsWith(value);

const isText = (value) => typeof value === 'string' && value.trim() !== '' && value.length <= 200;

const isListOf = (value, holds) => Array.isArray(value) && value.length > 0 && value.every(holds);

/** Up to a million riyals, so that sums in halalas stay exact integers. */
const isMoney = (value) =>
  typeof value === 'number' &&
  value >= 0 &&
  value <= 1e6 &&
  Math.abs(value * 100 - Math.round(value * 100)) < 1e-6;

/** Ten digits, 1 for citizens or 2 for residents first, with a Luhn check digit. */
function isNationalId(value) {
  if (typeof value !== 'string' || !/^[12]\d{9}$/.test(value)) return false;
  const sum = [...value].reduce((total, digit, index) => {
    const doubled = Number(digit) * (index % 2 === 0 ? 2 : 1);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}
