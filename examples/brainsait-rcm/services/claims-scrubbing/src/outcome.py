"""Answers in FHIR's own form for them, OperationOutcome."""

from fhir import Element
from validators import Finding

RULE_SYSTEM = "urn:brainsait:claims-scrubbing:rule"


def from_findings(findings: list[Finding]) -> Element:
    """One issue a finding, its rule in `details`; a claim without findings gets one informational issue."""
    if not findings:
        return outcome("information", "informational", "The claim breaks none of the rules.")
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "business-rule",
                "details": {"coding": [{"system": RULE_SYSTEM, "code": finding.rule}]},
                "diagnostics": finding.message,
                "expression": [finding.expression],
            }
            for finding in findings
        ],
    }


def outcome(severity: str, code: str, diagnostics: str) -> Element:
    issue = {"severity": severity, "code": code, "diagnostics": diagnostics}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
