from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen
import json
import unittest

from ledger.events import Events
from ledger.server import serve

BARCODE = "RR473124829SA"


class LedgerTest(unittest.TestCase):
    def setUp(self):
        self.events = Events(":memory:")
        self.server = serve(("127.0.0.1", 0), self.events)
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()

    def get(self, path: str):
        with urlopen(self.url + path, timeout=5) as response:
            return json.load(response)

    def post(self, body: object) -> int:
        with urlopen(Request(f"{self.url}/events", json.dumps(body).encode()), timeout=5) as response:
            return response.status

    def test_what_is_told_of_a_parcel_is_known(self):
        self.assertEqual(self.post({"barcode": BARCODE, "event": "accepted"}), 201)
        events = self.get(f"/parcels/{BARCODE}")["events"]
        self.assertEqual([event["event"] for event in events], ["accepted"])

    def test_a_parcel_is_overdue_when_nothing_was_told_for_long_and_it_was_not_delivered(self):
        self.events.add(BARCODE, "accepted", at=0)
        self.events.add("CP473124829SA", "delivered", at=0)
        self.assertEqual(self.get("/overdue?hours=72"), [BARCODE])
        self.post({"barcode": BARCODE, "event": "sorted"})
        self.assertEqual(self.get("/overdue?hours=72"), [])

    def test_what_is_no_event_is_refused(self):
        with self.assertRaises(HTTPError) as refused:
            self.post({"barcode": BARCODE})
        self.assertEqual(refused.exception.code, 400)


if __name__ == "__main__":
    unittest.main()
