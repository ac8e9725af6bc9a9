"""After a sync: whether the ledger that runs now takes an event and gives it back. Exit status 1 where it does not."""

from urllib.request import Request, urlopen
import json
import sys

LEDGER = "http://ledger"
# No parcel has this barcode: its check digit is wrong.
BARCODE = "XX000000000XX"


def main():
    event = {"barcode": BARCODE, "event": "delivered"}
    urlopen(Request(f"{LEDGER}/events", json.dumps(event).encode()), timeout=10)
    with urlopen(f"{LEDGER}/parcels/{BARCODE}", timeout=10) as response:
        events = json.load(response)["events"]
    if not events:
        sys.exit(f"the event of {BARCODE} is not in the ledger")
    print(f"{len(events)} events of {BARCODE}")


if __name__ == "__main__":
    main()
