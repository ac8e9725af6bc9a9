import { isDay, problemsOfCoverage } from './submission.js';

/**
 * Whether a coverage is in force on a day of service, by the dates that are printed on it. It asks no payer.
 *
 * @param {{ coverage: object, serviceDate: string }} request
 * @returns {{ problems: object[] } | { eligible: boolean, reason: string }}
 */
export function eligibilityOf(request) {
  const problems = problemsOfCoverage(request?.coverage);
  if (!isDay(request?.serviceDate)) problems.push({ field: 'serviceDate', message: 'must be a day' });
  if (problems.length > 0) return { problems };

  const { coverage, serviceDate } = request;
  if (serviceDate < coverage.from)
    return { eligible: false, reason: `The coverage begins on ${coverage.from}.` };
  if (serviceDate > coverage.to) return { eligible: false, reason: `The coverage ended on ${coverage.to}.` };
  return { eligible: true, reason: `The coverage is in force until ${coverage.to}.` };
}
