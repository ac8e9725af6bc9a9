"""
Keeps what happened to parcels.

POST /events {"barcode": "…", "event": "…"}   201
GET  /parcels/BARCODE                         its events, the oldest first
GET  /overdue?hours=72                        barcodes of which nothing was told for so long
GET  /healthz
"""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit
import json
import os
import signal
import threading
import time

from ledger.events import Events

MOST_BYTES = 10_000


class Handler(BaseHTTPRequestHandler):
    # Seconds that a client may keep its socket silent.
    timeout = 10
    events: Events

    def do_GET(self):
        url = urlsplit(self.path)
        match url.path.split("/")[1:]:
            case ["healthz"]:
                self.answer(HTTPStatus.OK, {"status": "ok"})
            case ["parcels", barcode]:
                self.answer(HTTPStatus.OK, {"barcode": barcode, "events": self.events.of(barcode)})
            case ["overdue"]:
                hours = parse_qs(url.query).get("hours", ["72"])[0]
                if not hours.isdecimal():
                    return self.answer(HTTPStatus.BAD_REQUEST, {"error": f"hours is a number, not {hours}."})
                self.answer(HTTPStatus.OK, self.events.silent_since(time.time() - int(hours) * 3600))
            case _:
                self.answer(HTTPStatus.NOT_FOUND, {"error": f"There is no {url.path} here."})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        if self.path != "/events" or not 0 < length <= MOST_BYTES:
            return self.answer(HTTPStatus.BAD_REQUEST, {"error": "Post an event to /events."})
        match json.loads(self.rfile.read(length)):
            case {"barcode": str(barcode), "event": str(event)}:
                self.events.add(barcode, event)
                self.answer(HTTPStatus.CREATED, {"barcode": barcode, "event": event})
            case _:
                self.answer(HTTPStatus.BAD_REQUEST, {"error": "An event has a barcode and an event."})

    def answer(self, status: HTTPStatus, body: object):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code="-", size="-"):
        if self.path != "/healthz":
            print(json.dumps({"request": f"{self.command} {self.path}", "status": code}), flush=True)


def serve(address: tuple[str, int], events: Events) -> HTTPServer:
    return HTTPServer(address, type("LedgerHandler", (Handler,), {"events": events}))


def main():
    server = serve(("", 8080), Events(os.path.join(os.environ.get("DATA", "/data"), "ledger.db")))
    # shutdown() waits for serve_forever(), which this very thread runs.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
