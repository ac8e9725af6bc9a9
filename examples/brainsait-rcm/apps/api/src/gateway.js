/** The gateway waits 5 seconds for claims-scrubbing itself. */
const TIMEOUT_MS = 8_000;

/** No verdict on the claim: it may be sent again. */
export class Unavailable extends Error {}

/**
 * Sends a claim request to the FHIR gateway.
 *
 * @returns {Promise<{ accepted: boolean, findings: { rule: string, where: string, message: string }[] }>}
 * @throws {Unavailable}
 */
export async function send(gatewayUrl, message) {
  const answer = await post(`${gatewayUrl}/$process-message`, message);
  const resource = answer?.entry?.[1]?.resource;
  if (resource?.resourceType === 'ClaimResponse') return { accepted: true, findings: [] };
  if (resource?.resourceType !== 'OperationOutcome')
    throw new Unavailable('The FHIR gateway gave no verdict.');
  const findings = resource.issue.map(({ details, expression, diagnostics }) => ({
    rule: details?.coding?.[0]?.code ?? 'structure',
    where: expression?.[0] ?? '',
    message: diagnostics ?? '',
  }));
  return { accepted: false, findings };
}

async function post(url, body) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return await response.json();
    await response.body?.cancel();
    throw new Unavailable(`The FHIR gateway answered ${response.status}.`);
  } catch (error) {
    if (error instanceof Unavailable) throw error;
    throw new Unavailable('The FHIR gateway cannot be reached.', { cause: error });
  }
}
