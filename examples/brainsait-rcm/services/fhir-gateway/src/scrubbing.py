"""The line to claims-scrubbing."""

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

# Scrubbing takes milliseconds; a caller of the gateway waits 10 seconds at most.
TIMEOUT_SECONDS = 5


class Unavailable(Exception):
    """claims-scrubbing gave no outcome: try the claim again."""


def scrub(base_url: str, claim: dict[str, Any]) -> dict[str, Any]:
    """The OperationOutcome of a Claim. Raises Unavailable."""
    headers = {"Content-Type": "application/fhir+json"}
    request = Request(f"{base_url}/Claim/$validate", json.dumps(claim).encode(), headers)
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            outcome = json.load(response)
    except HTTPError as error:
        raise Unavailable(f"claims-scrubbing answered {error.code}") from error
    except (URLError, OSError, ValueError) as error:
        raise Unavailable("claims-scrubbing cannot be reached") from error
    if not isinstance(outcome, dict) or outcome.get("resourceType") != "OperationOutcome":
        raise Unavailable("claims-scrubbing answered no OperationOutcome")
    return outcome


def has_errors(outcome: dict[str, Any]) -> bool:
    return any(issue.get("severity") in ("error", "fatal") for issue in outcome.get("issue", []))
