"""The service over HTTP; its end by a signal as a process of its own."""

from http.client import HTTPConnection
import hmac
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
from threading import Thread

import pytest

from server import Handler, Server

SERVICE = Path(__file__).parent.parent
CLAIM = (SERVICE / "tests" / "claim.json").read_text()


@pytest.fixture(scope="module")
def server():
    with Server(("127.0.0.1", 0), Handler) as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()


def ask(port, method, path, body=None, headers=None):
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return response, response.read()


def call(port, method, path, body=None, headers=None):
    response, content = ask(port, method, path, body, headers)
    return response.status, json.loads(content)


def test_a_clean_claim_gets_an_informational_outcome(server):
    status, outcome = call(server.server_port, "POST", "/Claim/$validate", CLAIM)
    assert (status, outcome["resourceType"]) == (200, "OperationOutcome")
    assert [issue["severity"] for issue in outcome["issue"]] == ["information"]


def test_an_outcome_is_signed_once_there_is_a_key(server, monkeypatch):
    response, _ = ask(server.server_port, "POST", "/Claim/$validate", CLAIM)
    assert response.getheader("X-Signature-256") is None
    monkeypatch.setattr(server, "signing_key", b"agreed")
    response, content = ask(server.server_port, "POST", "/Claim/$validate", CLAIM)
    assert response.getheader("X-Signature-256") == hmac.new(b"agreed", content, "sha256").hexdigest()


def test_a_broken_rule_is_an_issue_with_its_name_and_place(server):
    spoilt = json.dumps({**json.loads(CLAIM), "status": "draft"})
    status, outcome = call(server.server_port, "POST", "/Claim/$validate", spoilt)
    assert status == 200
    [issue] = outcome["issue"]
    assert issue["severity"] == "error"
    assert issue["details"]["coding"][0]["code"] == "status"
    assert issue["expression"] == ["Claim.status"]


@pytest.mark.parametrize(
    "path, body, status",
    [
        ("/Claim/$validate", "not json", 400),
        ("/Claim/$validate", "[" * 100_000, 400),
        ("/Claim/$validate", '{"resourceType": "Patient"}', 400),
        ("/Claim/$validate", "[]", 400),
        ("/Patient", CLAIM, 404),
    ],
)
def test_what_is_no_claim_is_refused(server, path, body, status):
    assert call(server.server_port, "POST", path, body)[0] == status


def test_a_body_beyond_the_limit_is_refused_unread(server):
    assert call(server.server_port, "POST", "/Claim/$validate", headers={"Content-Length": "1000001"})[0] == 413


def test_probes_and_unknown_paths(server):
    assert call(server.server_port, "GET", "/healthz") == (200, {"status": "ok"})
    assert call(server.server_port, "GET", "/readyz") == (200, {"status": "ready"})
    assert call(server.server_port, "GET", "/")[0] == 404


def test_a_server_that_stops_is_not_ready(server):
    server.stopping = True
    assert call(server.server_port, "GET", "/readyz") == (503, {"status": "stopping"})
    server.stopping = False


def test_sigterm_ends_it_cleanly_and_nothing_of_a_claim_was_logged():
    command, environment = [sys.executable, "src/server.py"], {**os.environ, "PORT": "0"}
    with subprocess.Popen(command, cwd=SERVICE, env=environment, stdout=subprocess.PIPE, text=True) as process:
        port = json.loads(process.stdout.readline())["listening"]
        assert call(port, "GET", "/healthz")[0] == 200
        assert call(port, "POST", "/Claim/$validate", CLAIM)[0] == 200
        process.send_signal(signal.SIGTERM)
        log, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert [json.loads(line)["request"] for line in log.splitlines()] == ["POST /Claim/$validate"]
