"""
NPHIES-style business rules for FHIR R4 Claims.

The profiles, extensions and code systems are those that the Saudi NPHIES Financial Services implementation
guide names; the rules are this platform's reading of it, a first sieve before submission. They are not NPHIES's own
validation and no certification.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
import re

from fhir import Element, child, code, day, elements, extension, number, refers

CLAIM_TYPE = "http://terminology.hl7.org/CodeSystem/claim-type"
CLAIM_SUBTYPE = "http://nphies.sa/terminology/CodeSystem/claim-subtype"
DIAGNOSIS_TYPE = "http://nphies.sa/terminology/CodeSystem/diagnosis-type"
ICD_10_AM = "http://hl7.org/fhir/sid/icd-10-am"
NPHIES_EXTENSION = "http://nphies.sa/fhir/ksa/nphies-fs/StructureDefinition/extension-"

HALALA = Decimal("0.01")

# Which encounters (inpatient, outpatient, emergency) each type of claim may bill.
SUBTYPES = {
    "institutional": {"ip", "emr"},
    "professional": {"op", "emr"},
    "oral": {"op"},
    "pharmacy": {"op"},
    "vision": {"op"},
}


@dataclass(frozen=True)
class Finding:
    """One broken rule: its name, the FHIRPath of what breaks it, and what to change."""

    rule: str
    expression: str
    message: str


Rule = Callable[[Element], Iterator[Finding]]


def validate(claim: Element) -> list[Finding]:
    """Every rule that the Claim breaks, in the order of the rules; an empty list is a clean claim."""
    return [finding for rule in RULES for finding in rule(claim)]


def header(claim: Element) -> Iterator[Finding]:
    if claim.get("status") != "active":
        yield Finding("status", "Claim.status", "status must be 'active'")
    if claim.get("use") != "claim":
        yield Finding("use", "Claim.use", "use must be 'claim': authorizations go another way")
    if not any(identifier.get("value") for _, identifier in elements(claim, "identifier")):
        yield Finding("identifier", "Claim.identifier", "the provider's own claim number is missing")
    if day(claim.get("created")) is None:
        yield Finding("created", "Claim.created", "created must be a date, or a dateTime with a time zone")


def claim_type(claim: Element) -> Iterator[Finding]:
    kind = code(claim.get("type"), CLAIM_TYPE)
    if kind not in SUBTYPES:
        yield Finding("type", "Claim.type", f"type must be one of {', '.join(sorted(SUBTYPES))}")
        return
    allowed = SUBTYPES[kind]
    if code(claim.get("subType"), CLAIM_SUBTYPE) not in allowed:
        yield Finding("subtype", "Claim.subType", f"a claim of type {kind} bills {' or '.join(sorted(allowed))}")


def parties(claim: Element) -> Iterator[Finding]:
    for party in ("patient", "provider", "insurer"):
        if not refers(claim, party):
            yield Finding("party", f"Claim.{party}", f"{party} is missing")


def coverage(claim: Element) -> Iterator[Finding]:
    focal = [(place, entry) for place, entry in elements(claim, "insurance") if entry.get("focal") is True]
    if len(focal) != 1:
        yield Finding("coverage", "Claim.insurance", f"exactly one insurance is focal, not {len(focal)}")
        return
    [(place, entry)] = focal
    if not refers(entry, "coverage"):
        yield Finding("coverage", f"Claim.{place}.coverage", "the focal insurance names no coverage")


def accounting_period(claim: Element) -> Iterator[Finding]:
    month = day(extension(claim, NPHIES_EXTENSION + "accountingPeriod").get("valueDate"))
    if month is None or month.day != 1:
        message = "extension accountingPeriod must be the first day of the month that is accounted for"
        yield Finding("accounting-period", "Claim.extension", message)


def dates_of_service(claim: Element) -> Iterator[Finding]:
    period, created = child(claim, "billablePeriod"), day(claim.get("created"))
    start, end = day(period.get("start")), day(period.get("end"))
    if start is None or end is None or start > end:
        yield Finding("billable-period", "Claim.billablePeriod", "it needs a start and an end, in this order")
        return
    if created and end > created:
        yield Finding("billable-period", "Claim.billablePeriod.end", "services end after the claim was created")
    for place, item in elements(claim, "item"):
        first, last = serviced(item)
        if first is None or last is None:
            yield Finding("serviced", f"Claim.{place}.serviced", "the item has no date of service")
        elif not start <= first <= last <= end:
            yield Finding("serviced", f"Claim.{place}.serviced", f"it lies outside {start} to {end}")


def serviced(item: Element) -> tuple[date | None, date | None]:
    """First and last day of an item's service."""
    period = child(item, "servicedPeriod")
    if period:
        return day(period.get("start")), day(period.get("end"))
    on = day(item.get("servicedDate"))
    return on, on


def diagnoses(claim: Element) -> Iterator[Finding]:
    principal = 0
    for place, diagnosis in elements(claim, "diagnosis"):
        icd = code(diagnosis.get("diagnosisCodeableConcept"), ICD_10_AM)
        if icd is None or not re.fullmatch(r"[A-Z][0-9]{2}(\.[0-9]{1,2})?", icd):
            yield Finding("diagnosis-code", f"Claim.{place}", "it needs an ICD-10-AM code such as J06.9")
        principal += any(code(kind, DIAGNOSIS_TYPE) == "principal" for _, kind in elements(diagnosis, "type"))
    if principal != 1:
        yield Finding("principal-diagnosis", "Claim.diagnosis", f"exactly one is principal, not {principal}")


def care_team(claim: Element) -> Iterator[Finding]:
    if not any(refers(member, "provider") for _, member in elements(claim, "careTeam")):
        yield Finding("care-team", "Claim.careTeam", "at least one practitioner answers for the services")


def items(claim: Element) -> Iterator[Finding]:
    found = list(elements(claim, "item"))
    if not found:
        yield Finding("items", "Claim.item", "a claim bills at least one item")
    for name in ("item", "diagnosis", "careTeam"):
        numbers = sequences(claim, name)
        positive = all(type(n) is int and n > 0 for n in numbers)
        if not positive or len(numbers) != len(set(numbers)):
            yield Finding("sequence", f"Claim.{name}", "sequence numbers are positive and distinct")
    for place, item in found:
        if not any(coding.get("code") for _, coding in elements(item.get("productOrService"), "coding")):
            yield Finding("service-code", f"Claim.{place}.productOrService", "the item has no service code")
        for link, target in (("diagnosisSequence", "diagnosis"), ("careTeamSequence", "careTeam")):
            named = item.get(link, [])
            if not isinstance(named, list) or any(n not in sequences(claim, target) for n in named):
                yield Finding("link", f"Claim.{place}.{link}", f"it names a {target} that the claim does not have")


def sequences(claim: Element, name: str) -> list[object]:
    return [element.get("sequence") for _, element in elements(claim, name)]


def amounts(claim: Element) -> Iterator[Finding]:
    """net = quantity × unit price × factor + tax, total = the sum of all net; in Saudi riyals, to the halala."""
    total = Decimal(0)
    for place, item in elements(claim, "item"):
        quantity = number(child(item, "quantity").get("value"))
        price, net = riyals(item.get("unitPrice")), riyals(item.get("net"))
        factor = number(item.get("factor", 1))
        tax_extension = extension(item, NPHIES_EXTENSION + "tax")
        tax = riyals(tax_extension.get("valueMoney")) if tax_extension else Decimal(0)
        if None in (quantity, price, net, factor, tax) or quantity <= 0 or price < 0:
            message = "quantity, unitPrice, net (and factor, tax) must be numbers, and the money SAR"
            yield Finding("amount", f"Claim.{place}", message)
            return
        expected = (quantity * price * factor + tax).quantize(HALALA, ROUND_HALF_UP)
        if net != expected:
            yield Finding("net", f"Claim.{place}.net", f"it is {net}, but quantity, price and tax make {expected}")
        total += net
    stated = riyals(claim.get("total"))
    if stated != total:
        yield Finding("total", "Claim.total", f"it is {stated}, but the items make {total}")


def riyals(money: object) -> Decimal | None:
    return number(money.get("value")) if isinstance(money, dict) and money.get("currency") == "SAR" else None


RULES: tuple[Rule, ...] = (
    header,
    claim_type,
    parties,
    coverage,
    accounting_period,
    dates_of_service,
    diagnoses,
    care_team,
    items,
    amounts,
)
