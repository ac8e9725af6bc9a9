"""FHIR messages as NPHIES exchanges them: what a claim request must be, and the reply to one."""

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

Resource = dict[str, Any]

MESSAGE_EVENTS = "http://nphies.sa/terminology/CodeSystem/ksa-message-events"
# References deeper than this are no claim's; it also bounds what a hostile body may cost.
MAX_DEPTH = 32


class Invalid(Exception):
    """A body that is not what it must be: the FHIRPath, and what is wrong there."""

    def __init__(self, expression: str, message: str):
        super().__init__(message)
        self.expression = expression


def claim_of(bundle: Resource) -> Resource:
    """The Claim in the focus of a claim request. Raises Invalid."""
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "message":
        raise Invalid("Bundle.type", "a message is a Bundle of type 'message'")
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries:
        raise Invalid("Bundle.entry", "a message has entries")
    resources = {}
    for index, entry in enumerate(entries):
        url, resource = (entry.get("fullUrl"), entry.get("resource")) if isinstance(entry, dict) else (None, None)
        if not isinstance(url, str) or not isinstance(resource, dict) or url in resources:
            raise Invalid(f"Bundle.entry[{index}]", "an entry has a resource and a fullUrl of its own")
        resources[url] = resource

    header = next(iter(resources.values()))
    event = header.get("eventCoding")
    if header.get("resourceType") != "MessageHeader":
        raise Invalid("Bundle.entry[0]", "the first entry is the MessageHeader")
    if not isinstance(event, dict) or (event.get("system"), event.get("code")) != (MESSAGE_EVENTS, "claim-request"):
        raise Invalid("MessageHeader.event", "this gateway takes the event 'claim-request'")
    focus = list(references(header.get("focus")))
    claim = find(resources, focus[0]) if len(focus) == 1 else None
    if claim is None or claim.get("resourceType") != "Claim":
        raise Invalid("MessageHeader.focus", "the focus is one Claim in the message")
    for reference in references(claim):
        if find(resources, reference) is None:
            raise Invalid("Claim", f"it refers to {reference[:100]!r}, which the message does not hold")
    return claim


def find(resources: dict[str, Resource], reference: str) -> Resource | None:
    """A resource by its fullUrl, or by `Type/id` behind any base."""
    if reference in resources:
        return resources[reference]
    behind = (resource for url, resource in resources.items() if url.endswith("/" + reference))
    return next(behind, None)


def references(element: Any, depth: int = 0) -> Iterator[str]:
    """Every literal reference in an element and below it; references to contained resources stay inside it."""
    if depth > MAX_DEPTH:
        raise Invalid("Claim", f"it is nested more than {MAX_DEPTH} deep")
    if isinstance(element, list):
        for value in element:
            yield from references(value, depth + 1)
    elif isinstance(element, dict):
        reference = element.get("reference")
        if isinstance(reference, str) and not reference.startswith("#"):
            yield reference
        for value in element.values():
            yield from references(value, depth + 1)


def accepted(claim: Resource) -> Resource:
    """The ClaimResponse for a claim that broke no rule."""
    identifiers = claim.get("identifier") or [{}]
    return {
        "resourceType": "ClaimResponse",
        "id": str(uuid4()),
        "status": "active",
        "type": claim.get("type"),
        "use": "claim",
        "patient": claim.get("patient"),
        "created": now(),
        "insurer": claim.get("insurer"),
        "requestor": claim.get("provider"),
        "request": {"type": "Claim", "identifier": identifiers[0]},
        "outcome": "queued",
        # The example ends here: it has no line to a payer.
        "disposition": "The claim broke no rule and may be submitted.",
    }


def refused(expression: str, message: str, code: str = "structure") -> Resource:
    """An OperationOutcome with one error."""
    issue = {"severity": "error", "code": code, "diagnostics": message, "expression": [expression]}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def reply(request: Resource, answer: Resource) -> Resource:
    """The message that answers a claim request with a ClaimResponse, or with the outcome that refused it."""
    good = answer["resourceType"] == "ClaimResponse"
    header_id, answer_url = str(uuid4()), f"urn:uuid:{answer.get('id', uuid4())}"
    header = {
        "resourceType": "MessageHeader",
        "id": header_id,
        "eventCoding": {"system": MESSAGE_EVENTS, "code": "claim-response"},
        "source": {"endpoint": "urn:brainsait:fhir-gateway"},
        "response": {
            "identifier": request["entry"][0]["resource"].get("id", "unknown"),
            "code": "ok" if good else "fatal-error",
        },
        "focus": [{"reference": answer_url}],
    }
    return {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "type": "message",
        "timestamp": now(),
        "entry": [
            {"fullUrl": f"urn:uuid:{header_id}", "resource": header},
            {"fullUrl": answer_url, "resource": answer},
        ],
    }


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
