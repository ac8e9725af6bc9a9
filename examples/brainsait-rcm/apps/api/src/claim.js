import { randomUUID } from 'node:crypto';

const NPHIES = 'http://nphies.sa';
const EXTENSION = `${NPHIES}/fhir/ksa/nphies-fs/StructureDefinition/extension-`;
const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';

/**
 * A submission without problems as the message that NPHIES calls a claim request.
 *
 * @param {object} submission see submission.js
 * @param {string} today YYYY-MM-DD in Riyadh
 */
export function claimRequest(submission, today) {
  const { patient, coverage } = submission;
  const claim = claimOf(submission, today);
  const resources = [
    claim,
    {
      resourceType: 'Patient',
      id: 'patient',
      identifier: [{ system: `${NPHIES}/identifier/nationalid`, value: patient.nationalId }],
      name: [{ text: patient.name }],
    },
    {
      resourceType: 'Coverage',
      id: 'coverage',
      status: 'active',
      identifier: [{ system: `${NPHIES}/identifier/member`, value: coverage.memberId }],
      beneficiary: { reference: 'Patient/patient' },
      payor: [payer(coverage.insurer)],
      period: { start: coverage.from, end: coverage.to },
    },
  ];
  const header = {
    resourceType: 'MessageHeader',
    id: randomUUID(),
    eventCoding: { system: `${NPHIES}/terminology/CodeSystem/ksa-message-events`, code: 'claim-request' },
    source: { endpoint: 'urn:brainsait:api' },
    focus: [{ reference: `Claim/${claim.id}` }],
  };
  return {
    resourceType: 'Bundle',
    type: 'message',
    timestamp: new Date().toISOString(),
    entry: [header, ...resources].map((resource) => ({
      fullUrl: `http://api.brainsait.example/${resource.resourceType}/${resource.id}`,
      resource,
    })),
  };
}

function claimOf(submission, today) {
  const days = submission.services.map(({ date }) => date).sort();
  const items = submission.services.map(itemOf);
  return {
    resourceType: 'Claim',
    id: randomUUID(),
    meta: { profile: [`${NPHIES}/fhir/ksa/nphies-fs/StructureDefinition/${submission.type}-claim|1.0.0`] },
    extension: extensions(submission, days[0]),
    identifier: [{ system: 'urn:brainsait:claim', value: submission.claimNumber }],
    status: 'active',
    type: concept(`${TERMINOLOGY}/claim-type`, submission.type),
    subType: concept(`${NPHIES}/terminology/CodeSystem/claim-subtype`, submission.visit),
    use: 'claim',
    patient: { reference: 'Patient/patient' },
    billablePeriod: { start: days[0], end: days.at(-1) },
    created: today,
    insurer: payer(submission.coverage.insurer),
    provider: licensed('provider', submission.provider),
    priority: concept(`${TERMINOLOGY}/processpriority`, 'normal'),
    careTeam: [
      {
        sequence: 1,
        provider: licensed('practitioner', submission.practitioner),
        role: concept(`${TERMINOLOGY}/claimcareteamrole`, 'primary'),
      },
    ],
    diagnosis: submission.diagnoses.map((code, index) => ({
      sequence: index + 1,
      diagnosisCodeableConcept: concept('http://hl7.org/fhir/sid/icd-10-am', code),
      type: [
        concept(`${NPHIES}/terminology/CodeSystem/diagnosis-type`, index === 0 ? 'principal' : 'secondary'),
      ],
    })),
    insurance: [{ sequence: 1, focal: true, coverage: { reference: 'Coverage/coverage' } }],
    item: items,
    total: riyals(items.reduce((sum, { net }) => sum + halalas(net.value), 0)),
  };
}

function extensions({ eligibility }, firstDay) {
  const accountingPeriod = { url: `${EXTENSION}accountingPeriod`, valueDate: `${firstDay.slice(0, 7)}-01` };
  if (!eligibility) return [accountingPeriod];
  return [
    accountingPeriod,
    { url: `${EXTENSION}eligibility-offline-reference`, valueString: eligibility.reference },
    { url: `${EXTENSION}eligibility-offline-date`, valueDateTime: eligibility.checkedOn },
  ];
}

function itemOf({ date, code, name, quantity, unitPrice, tax = 0 }, index) {
  return {
    sequence: index + 1,
    careTeamSequence: [1],
    diagnosisSequence: [1],
    extension: [{ url: `${EXTENSION}tax`, valueMoney: riyals(halalas(tax)) }],
    productOrService: {
      coding: [{ system: `${NPHIES}/terminology/CodeSystem/services`, code, display: name }],
    },
    servicedDate: date,
    quantity: { value: quantity },
    unitPrice: riyals(halalas(unitPrice)),
    net: riyals(quantity * halalas(unitPrice) + halalas(tax)),
  };
}

const concept = (system, code) => ({ coding: [{ system, code }] });
const licensed = (kind, value) => ({ identifier: { system: `${NPHIES}/license/${kind}-license`, value } });
const payer = (value) => licensed('payer', value);

// Sums of riyals as floating-point numbers drift; sums of halalas do not.
const halalas = (riyals) => Math.round(riyals * 100);
const riyals = (halalas) => ({ value: halalas / 100, currency: 'SAR' });
