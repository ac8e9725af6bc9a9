"""The gateway over HTTP, before a claims-scrubbing that refuses every claim that is a draft."""

from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
from threading import Thread

import pytest

from server import Server


class Scrubbing(BaseHTTPRequestHandler):
    def do_POST(self):
        claim = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        severity = "error" if claim.get("status") == "draft" else "information"
        outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "informational"}]}
        self.send_response(500 if claim.get("status") == "crash" else 200)
        self.end_headers()
        self.wfile.write(json.dumps(outcome).encode())


def serving(server):
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    return server


@pytest.fixture(scope="module")
def gateway():
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Scrubbing)) as scrubbing:
        url = f"http://127.0.0.1:{scrubbing.server_port}"
        with serving(Server(("127.0.0.1", 0), url)) as running:
            yield running
            running.shutdown()
        scrubbing.shutdown()


def call(server, method, path, body=None, headers=None):
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, path, body if isinstance(body, str) else json.dumps(body), headers or {})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_it_says_what_it_can_do(gateway):
    status, statement = call(gateway, "GET", "/fhir/metadata")
    assert (status, statement["resourceType"], statement["fhirVersion"]) == (200, "CapabilityStatement", "4.0.1")


def test_a_clean_claim_gets_a_claim_response(gateway):
    status, response = call(gateway, "POST", "/fhir/Claim/$submit", {"resourceType": "Claim"})
    assert (status, response["resourceType"], response["outcome"]) == (200, "ClaimResponse", "queued")


def test_a_refused_claim_gets_the_outcome_of_scrubbing(gateway):
    status, outcome = call(gateway, "POST", "/fhir/Claim/$submit", {"resourceType": "Claim", "status": "draft"})
    assert (status, outcome["resourceType"]) == (422, "OperationOutcome")


def test_a_message_is_answered_by_a_message(gateway, message):
    status, answer = call(gateway, "POST", "/fhir/$process-message", message)
    assert (status, answer["entry"][0]["resource"]["response"]["code"]) == (200, "ok")
    message["entry"][1]["resource"]["status"] = "draft"
    status, answer = call(gateway, "POST", "/fhir/$process-message", message)
    assert (status, answer["entry"][0]["resource"]["response"]["code"]) == (200, "fatal-error")


@pytest.mark.parametrize(
    "path, body, status",
    [
        ("/fhir/Claim/$submit", "not json", 400),
        ("/fhir/Claim/$submit", "[" * 100_000, 400),
        ("/fhir/Claim/$submit", "[]", 422),
        ("/fhir/Claim/$submit", {"resourceType": "Patient"}, 422),
        ("/fhir/$process-message", {"resourceType": "Bundle", "type": "batch"}, 422),
        ("/fhir/Patient", {}, 404),
    ],
)
def test_what_it_does_not_take_is_refused(gateway, path, body, status):
    assert call(gateway, "POST", path, body)[0] == status


def test_a_body_beyond_the_limit_is_refused_unread(gateway):
    assert call(gateway, "POST", "/fhir/Claim/$submit", "", {"Content-Length": "5000001"})[0] == 413


@pytest.mark.parametrize("claim", [{"resourceType": "Claim", "status": "crash"}])
def test_a_scrubbing_that_fails_makes_no_refusal_of_the_claim(gateway, claim):
    status, outcome = call(gateway, "POST", "/fhir/Claim/$submit", claim)
    assert (status, outcome["issue"][0]["code"]) == (503, "transient")


def test_a_scrubbing_that_is_not_there_makes_no_refusal_of_the_claim():
    with serving(Server(("127.0.0.1", 0), "http://127.0.0.1:9")) as alone:
        assert call(alone, "POST", "/fhir/Claim/$submit", {"resourceType": "Claim"})[0] == 503
        alone.shutdown()


def test_probes(gateway):
    assert call(gateway, "GET", "/healthz")[0] == 200
    assert call(gateway, "GET", "/readyz")[0] == 200
    gateway.stopping = True
    assert call(gateway, "GET", "/readyz")[0] == 503
    gateway.stopping = False
