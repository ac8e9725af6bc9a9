"""
Scrubs claims over HTTP.

POST /Claim/$validate   a FHIR R4 Claim -> 200 and an OperationOutcome; an issue of severity `error` is a refusal.
                        With PAYER_GATEWAY_KEY, X-Signature-256 is the body's HMAC: by it the payers' gateway knows
                        that a claim was scrubbed here
GET  /healthz, /readyz  200; /readyz is 503 from SIGTERM on
"""

from decimal import Decimal
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import hmac
import json
import os
import signal
import threading

from outcome import from_findings, outcome
from validators import validate

# A claim with a hundred items is some 100 kB.
MAX_BODY_BYTES = 1_000_000


class Server(ThreadingHTTPServer):
    # Requests that are under way at SIGTERM are answered before the process ends.
    daemon_threads = False
    request_queue_size = 128
    stopping = False
    signing_key = b""


class Handler(BaseHTTPRequestHandler):
    server: Server
    # Seconds that a client may keep a socket silent.
    timeout = 10

    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(HTTPStatus.OK, {"status": "ok"})
        if self.path == "/readyz":
            stopping = self.server.stopping
            status = HTTPStatus.SERVICE_UNAVAILABLE if stopping else HTTPStatus.OK
            return self.answer(status, {"status": "stopping" if stopping else "ready"})
        self.refuse(HTTPStatus.NOT_FOUND, "not-found", f"There is no {self.path} here.")

    def do_POST(self):
        if self.path != "/Claim/$validate":
            return self.refuse(HTTPStatus.NOT_FOUND, "not-found", "Post a Claim to /Claim/$validate.")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return self.refuse(HTTPStatus.LENGTH_REQUIRED, "required", "Content-Length is missing.")
        if int(length) > MAX_BODY_BYTES:
            limit = f"A claim has at most {MAX_BODY_BYTES} bytes."
            return self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-long", limit)
        try:
            claim = json.loads(self.rfile.read(int(length)), parse_float=Decimal)
        except (ValueError, RecursionError):
            return self.refuse(HTTPStatus.BAD_REQUEST, "structure", "The body is not JSON.")
        if not isinstance(claim, dict) or claim.get("resourceType") != "Claim":
            return self.refuse(HTTPStatus.BAD_REQUEST, "structure", "The body is not a FHIR Claim.")
        self.answer(HTTPStatus.OK, from_findings(validate(claim)))

    def refuse(self, status: HTTPStatus, code: str, diagnostics: str):
        self.answer(status, outcome("error", code, diagnostics))

    def answer(self, status: HTTPStatus, body: dict):
        content = json.dumps(body).encode()
        self.send_response(status)
        fhir = "resourceType" in body
        self.send_header("Content-Type", "application/fhir+json" if fhir else "application/json")
        self.send_header("Content-Length", str(len(content)))
        if fhir and self.server.signing_key:
            self.send_header("X-Signature-256", hmac.digest(self.server.signing_key, content, "sha256").hex())
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code="-", size="-"):
        """Paths and statuses only, and none for probes: a claim is health data and stays out of logs."""
        if self.path not in ("/healthz", "/readyz"):
            print(json.dumps({"request": f"{self.command} {self.path}", "status": code}), flush=True)


def main():
    server = Server(("", int(os.environ.get("PORT", "8080"))), Handler)
    server.signing_key = os.environ.get("PAYER_GATEWAY_KEY", "").encode()

    def stop(*_):
        server.stopping = True
        # shutdown() waits for serve_forever(), which this very thread runs.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(json.dumps({"listening": server.server_port}), flush=True)
    with server:
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
