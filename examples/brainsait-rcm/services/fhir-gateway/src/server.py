"""
The way in for FHIR clients.

GET  /fhir/metadata          CapabilityStatement
POST /fhir/Claim/$submit     a Claim -> 200 ClaimResponse, 422 OperationOutcome
POST /fhir/$process-message  a message Bundle (claim-request) -> 200 message Bundle (claim-response)
GET  /healthz, /readyz       200; /readyz is 503 from SIGTERM on
"""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
import os
import signal
import threading

from capability import STATEMENT
from messages import Invalid, Resource, accepted, claim_of, refused, reply
from scrubbing import Unavailable, has_errors, scrub

# A message with its claim, patient, coverage and attachments by reference.
MAX_BODY_BYTES = 5_000_000


class Server(ThreadingHTTPServer):
    # Requests that are under way at SIGTERM are answered before the process ends.
    daemon_threads = False
    request_queue_size = 128
    stopping = False

    def __init__(self, address: tuple[str, int], scrubbing_url: str):
        super().__init__(address, Handler)
        self.scrubbing_url = scrubbing_url

    def scrubbed(self, claim: Resource) -> Resource:
        """A ClaimResponse, or the OperationOutcome that refuses the claim. Raises Unavailable."""
        outcome = scrub(self.scrubbing_url, claim)
        return outcome if has_errors(outcome) else accepted(claim)


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
        if self.path == "/fhir/metadata":
            return self.answer(HTTPStatus.OK, STATEMENT)
        self.answer(HTTPStatus.NOT_FOUND, refused("", f"There is no {self.path} here.", "not-found"))

    def do_POST(self):
        act = {"/fhir/Claim/$submit": self.submit, "/fhir/$process-message": self.process_message}.get(self.path)
        if act is None:
            refusal = refused("", "See /fhir/metadata for what this gateway does.", "not-found")
            return self.answer(HTTPStatus.NOT_FOUND, refusal)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            refusal = refused("", f"A body has a Content-Length of at most {MAX_BODY_BYTES}.", "too-long")
            return self.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, refusal)
        try:
            body = json.loads(self.rfile.read(int(length)))
            if not isinstance(body, dict):
                raise Invalid("", "the body is a FHIR resource")
            act(body)
        except Invalid as error:
            self.answer(HTTPStatus.UNPROCESSABLE_ENTITY, refused(error.expression, str(error)))
        except (ValueError, RecursionError):
            self.answer(HTTPStatus.BAD_REQUEST, refused("", "The body is not JSON."))
        except Unavailable as error:
            self.answer(HTTPStatus.SERVICE_UNAVAILABLE, refused("", f"{error}; send it again later", "transient"))

    def submit(self, claim: Resource):
        if claim.get("resourceType") != "Claim":
            raise Invalid("", "Claim/$submit takes a Claim")
        answer = self.server.scrubbed(claim)
        good = answer["resourceType"] == "ClaimResponse"
        self.answer(HTTPStatus.OK if good else HTTPStatus.UNPROCESSABLE_ENTITY, answer)

    def process_message(self, bundle: Resource):
        self.answer(HTTPStatus.OK, reply(bundle, self.server.scrubbed(claim_of(bundle))))

    def answer(self, status: HTTPStatus, body: Resource):
        content = json.dumps(body).encode()
        self.send_response(status)
        fhir = "resourceType" in body
        self.send_header("Content-Type", "application/fhir+json" if fhir else "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code="-", size="-"):
        """Paths and statuses only, and none for probes: a claim is health data and stays out of logs."""
        if self.path not in ("/healthz", "/readyz"):
            print(json.dumps({"request": f"{self.command} {self.path}", "status": code}), flush=True)


def main():
    port, scrubbing_url = int(os.environ.get("PORT", "8080")), os.environ["CLAIMS_SCRUBBING_URL"]
    server = Server(("", port), scrubbing_url)

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
