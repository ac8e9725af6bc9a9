from pathlib import Path
import sys

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))


@pytest.fixture
def message():
    """A claim request whose Claim refers to the Patient and the Coverage beside it, free to be spoilt."""
    base = "http://clinic.example.sa/fhir/"
    events = "http://nphies.sa/terminology/CodeSystem/ksa-message-events"
    header = {
        "resourceType": "MessageHeader",
        "id": "request-417",
        "eventCoding": {"system": events, "code": "claim-request"},
        "source": {"endpoint": "http://clinic.example.sa"},
        "focus": [{"reference": "Claim/417"}],
    }
    claim = {
        "resourceType": "Claim",
        "id": "417",
        "identifier": [{"system": "http://clinic.example.sa/identifiers/claim", "value": "2025-000417"}],
        "patient": {"reference": "Patient/2873"},
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/5512"}}],
    }
    patient = {"resourceType": "Patient", "id": "2873"}
    coverage = {"resourceType": "Coverage", "id": "5512"}
    entries = [
        {"fullUrl": f"{base}{resource['resourceType']}/{resource['id']}", "resource": resource}
        for resource in (header, claim, patient, coverage)
    ]
    return {"resourceType": "Bundle", "type": "message", "entry": entries}
