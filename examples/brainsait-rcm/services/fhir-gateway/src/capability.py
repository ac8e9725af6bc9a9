"""What this gateway can do, as FHIR clients ask for it: GET /fhir/metadata."""

STATEMENT = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": "2025-10-05",
    "kind": "instance",
    "implementation": {"description": "BrainSAIT RCM FHIR gateway"},
    "fhirVersion": "4.0.1",
    "format": ["json"],
    "rest": [
        {
            "mode": "server",
            "resource": [
                {
                    "type": "Claim",
                    "operation": [
                        {
                            "name": "submit",
                            "definition": "http://hl7.org/fhir/OperationDefinition/Claim-submit",
                        }
                    ],
                }
            ],
            "operation": [
                {
                    "name": "process-message",
                    "definition": "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message",
                }
            ],
        }
    ],
}
