/** What the form holds, as the API takes it. @param {FormData} form */
export function submissionOf(form) {
  const text = (name) => form.get(name).trim();
  const checkedOn = text('eligibilityDate');
  return {
    claimNumber: text('claimNumber'),
    type: 'professional',
    visit: 'op',
    patient: { nationalId: text('nationalId'), name: text('patientName') },
    coverage: {
      memberId: text('memberId'),
      insurer: text('insurer'),
      from: text('coveredFrom'),
      to: text('coveredTo'),
    },
    provider: 'PR-0001',
    practitioner: 'PT-0042',
    diagnoses: [text('diagnosis')],
    ...(checkedOn && { eligibility: { reference: text('eligibilityReference'), checkedOn } }),
    services: [
      {
        date: text('serviceDate'),
        code: text('serviceCode'),
        name: text('serviceName'),
        quantity: Number(text('quantity')),
        unitPrice: Number(text('unitPrice')),
        tax: Number(text('tax')),
      },
    ],
  };
}

/** What the API answered, for people. @returns {{ good: boolean, title: string, lines: string[] }} */
export function verdictOf(status, body) {
  if (body.problems) {
    const lines = body.problems.map(({ field, message }) => `${field} ${message}`);
    return { good: false, title: 'The form is not complete.', lines };
  }
  if (status !== 200) return { good: false, title: body.error ?? `The API answered ${status}.`, lines: [] };
  if ('eligible' in body) return { good: body.eligible, title: body.reason, lines: [] };
  if (body.accepted) return { good: true, title: 'The claim breaks no rule.', lines: [] };
  const lines = body.findings.map(({ rule, where, message }) => `${rule}: ${message} (${where})`);
  return {
    good: false,
    title: `The claim breaks ${lines.length} rule${lines.length === 1 ? '' : 's'}.`,
    lines,
  };
}
