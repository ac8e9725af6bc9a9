"""Reading FHIR R4 JSON that anybody may have written: a wrong type reads as absent, nothing raises."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
import re
from typing import Any

Element = dict[str, Any]

# Saudi Arabia has one time zone and no summer time.
RIYADH = timezone(timedelta(hours=3))
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
# A dateTime with a time has an offset.
DATE_TIME = DATE + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"


def elements(parent: Any, name: str) -> Iterator[tuple[str, Element]]:
    """The objects in a repeating element, each with its place: `item[0]`."""
    values = parent.get(name) if isinstance(parent, dict) else None
    for index, value in enumerate(values if isinstance(values, list) else []):
        if isinstance(value, dict):
            yield f"{name}[{index}]", value


def child(parent: Any, name: str) -> Element:
    """The object in a single element, or an empty one."""
    value = parent.get(name) if isinstance(parent, dict) else None
    return value if isinstance(value, dict) else {}


def code(concept: Any, system: str) -> str | None:
    """The code that a CodeableConcept has in one code system."""
    for _, coding in elements(concept, "coding"):
        if coding.get("system") == system and isinstance(coding.get("code"), str):
            return coding["code"]
    return None


def extension(element: Any, url: str) -> Element:
    """The extension with this URL, or an empty one."""
    return next((found for _, found in elements(element, "extension") if found.get("url") == url), {})


def refers(element: Any, name: str) -> bool:
    """Whether a Reference says to whom, by reference or by identifier."""
    reference = child(element, name)
    return bool(reference.get("reference") or child(reference, "identifier").get("value"))


def day(value: Any) -> date | None:
    """The calendar day in Riyadh of a FHIR date or dateTime of at least day precision."""
    if not isinstance(value, str):
        return None
    try:
        if re.fullmatch(DATE, value):
            return date.fromisoformat(value)
        if re.fullmatch(DATE_TIME, value):
            return datetime.fromisoformat(value).astimezone(RIYADH).date()
    except (ValueError, OverflowError):
        pass
    return None


def number(value: Any) -> Decimal | None:
    """A FHIR decimal or integer below a hundred million, with at most 6 decimal places."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    decimal = Decimal(value)
    # So bounded, a product of three stays within the 28 digits that Decimal computes with.
    fits = decimal.is_finite() and abs(decimal) < 10**8 and decimal.as_tuple().exponent >= -6
    return decimal if fits else None
