"""Each rule by the claims that it must refuse; the clean claim stands in claim.json."""

from decimal import Decimal

import pytest

from validators import validate


def rules_broken(claim):
    return {finding.rule for finding in validate(claim)}


def test_a_clean_claim_breaks_no_rule(claim):
    assert validate(claim) == []


@pytest.mark.parametrize(
    "rule, element, value",
    [
        ("status", "status", "draft"),
        ("use", "use", "preauthorization"),
        ("identifier", "identifier", []),
        ("created", "created", "2025-09"),
        ("created", "created", "2025-09-15T10:00:00"),
        ("type", "type", {"coding": [{"system": "elsewhere", "code": "professional"}]}),
        ("party", "patient", {}),
        ("party", "insurer", {"identifier": {"system": "http://nphies.sa/license/payer-license"}}),
        ("coverage", "insurance", []),
        ("coverage", "insurance", [{"sequence": 1, "focal": True}]),
        ("accounting-period", "extension", []),
        ("billable-period", "billablePeriod", {"start": "2025-09-14", "end": "2025-09-13"}),
        ("billable-period", "billablePeriod", {"start": "2025-09-14", "end": "2025-09-20"}),
        ("serviced", "billablePeriod", {"start": "2025-09-10", "end": "2025-09-13"}),
        ("principal-diagnosis", "diagnosis", []),
        ("care-team", "careTeam", []),
        ("items", "item", []),
        ("total", "total", {"value": Decimal("172.49"), "currency": "SAR"}),
        ("total", "total", {"value": Decimal("172.5"), "currency": "USD"}),
    ],
)
def test_one_element_breaks_its_rule(claim, rule, element, value):
    claim[element] = value
    assert rule in rules_broken(claim)


@pytest.mark.parametrize(
    "rule, change",
    [
        ("serviced", {"servicedDate": None}),
        ("service-code", {"productOrService": {}}),
        ("link", {"diagnosisSequence": [2]}),
        ("link", {"careTeamSequence": 1}),
        ("sequence", {"sequence": 0}),
        ("amount", {"quantity": {"value": 0}}),
        ("amount", {"net": {"value": Decimal("172.5"), "currency": "USD"}}),
        ("net", {"factor": Decimal("0.9")}),
    ],
)
def test_an_item_breaks_its_rule(claim, rule, change):
    claim["item"][0].update(change)
    assert rule in rules_broken(claim)


@pytest.mark.parametrize("kind, encounter", [("institutional", "op"), ("professional", "ip"), ("oral", "emr")])
def test_a_type_of_claim_bills_its_own_encounters(claim, kind, encounter):
    claim["type"]["coding"][0]["code"] = kind
    claim["subType"]["coding"][0]["code"] = encounter
    assert rules_broken(claim) == {"subtype"}


@pytest.mark.parametrize("icd", ["J6.9", "j06.9", "J06.", "J06.999", ""])
def test_a_diagnosis_is_coded_in_icd_10_am(claim, icd):
    claim["diagnosis"][0]["diagnosisCodeableConcept"]["coding"][0]["code"] = icd
    assert rules_broken(claim) == {"diagnosis-code"}


def test_two_items_with_one_sequence_number_are_refused(claim):
    claim["item"] *= 2
    claim["total"]["value"] = Decimal("345.00")
    assert rules_broken(claim) == {"sequence"}


def test_money_is_exact(claim):
    item = claim["item"][0]
    item["quantity"]["value"], item["unitPrice"]["value"] = 3, Decimal("0.1")
    item["extension"] = []
    item["net"]["value"] = claim["total"]["value"] = Decimal("0.3")
    assert validate(claim) == []


def test_a_service_over_several_days_lies_in_the_billable_period(claim):
    claim["billablePeriod"], claim["created"] = {"start": "2025-09-14", "end": "2025-09-18"}, "2025-09-18"
    claim["item"][0]["servicedPeriod"] = {"start": "2025-09-14", "end": "2025-09-16"}
    assert validate(claim) == []
    claim["item"][0]["servicedPeriod"]["end"] = "2025-09-19"
    assert rules_broken(claim) == {"serviced"}


def test_a_day_is_a_day_in_riyadh(claim):
    # 22:30 UTC on the 13th is 01:30 on the 14th in Riyadh.
    claim["billablePeriod"] = {"start": "2025-09-13T22:30:00Z", "end": "2025-09-14T12:00:00+03:00"}
    assert validate(claim) == []


@pytest.mark.parametrize("junk", [None, True, 0, "text", [], {}, [[]], [{}], [{"coding": [{"code": []}]}], 10**40])
def test_any_json_in_any_element_is_findings_and_no_crash(claim, junk):
    for element in list(claim):
        validate({**claim, element: junk})
    for element in list(claim["item"][0]):
        validate({**claim, "item": [{**claim["item"][0], element: junk}]})
