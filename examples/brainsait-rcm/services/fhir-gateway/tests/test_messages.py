import pytest

from messages import Invalid, accepted, claim_of, refused, reply


def test_the_claim_in_focus_is_found(message):
    assert claim_of(message) is message["entry"][1]["resource"]


def header(message, **change):
    message["entry"][0]["resource"].update(change)


SPOIL = {
    "a message is a Bundle": lambda m: m.update(type="collection"),
    "has entries": lambda m: m.update(entry=[]),
    "a fullUrl of its own": lambda m: m["entry"].append(m["entry"][3]),
    "first entry is the MessageHeader": lambda m: m["entry"].reverse(),
    "'claim-request'": lambda m: header(m, eventCoding={"code": "claim-request"}),
    "focus is one Claim": lambda m: header(m, focus=[{"reference": "Patient/2873"}]),
    "'Coverage/5512'": lambda m: m["entry"].pop(),
    "nested more than": lambda m: m["entry"][1]["resource"].update(note=nested(40)),
}


def nested(depth):
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize("complaint", SPOIL)
def test_what_is_no_claim_request_is_refused(message, complaint):
    SPOIL[complaint](message)
    with pytest.raises(Invalid, match=complaint):
        claim_of(message)


@pytest.mark.parametrize("junk", [None, True, "text", [], {}, [[]], [{}], [{"resource": []}]])
def test_any_json_in_any_element_is_refused_and_no_crash(message, junk):
    for element in list(message):
        with pytest.raises(Invalid):
            claim_of({**message, element: junk})


def test_a_contained_resource_is_no_reference_outwards(message):
    message["entry"][1]["resource"]["facility"] = {"reference": "#ward"}
    claim_of(message)


def test_the_reply_names_the_request_it_answers(message):
    good = reply(message, accepted(claim_of(message)))
    [answered, claim_response] = [entry["resource"] for entry in good["entry"]]
    assert answered["response"] == {"identifier": "request-417", "code": "ok"}
    assert answered["focus"][0]["reference"] == good["entry"][1]["fullUrl"]
    assert claim_response["request"]["identifier"]["value"] == "2025-000417"

    bad = reply(message, refused("Claim", "no"))
    assert bad["entry"][0]["resource"]["response"]["code"] == "fatal-error"
