"""What happened to parcels, in the order in which it was told."""

import sqlite3
import time


class Events:
    def __init__(self, path: str):
        # One writer; the server's threads take turns on it.
        self.database = sqlite3.connect(path, check_same_thread=False)
        self.database.execute("CREATE TABLE IF NOT EXISTS events (barcode TEXT, event TEXT, at REAL)")

    def add(self, barcode: str, event: str, at: float | None = None) -> None:
        row = (barcode, event, time.time() if at is None else at)
        with self.database:
            self.database.execute("INSERT INTO events VALUES (?, ?, ?)", row)

    def of(self, barcode: str) -> list[dict]:
        rows = self.database.execute("SELECT event, at FROM events WHERE barcode = ? ORDER BY at", (barcode,))
        return [{"event": event, "at": at} for event, at in rows]

    def silent_since(self, at: float) -> list[str]:
        """Barcodes of which nothing was told since then, and that were not delivered."""
        rows = self.database.execute(
            "SELECT barcode FROM events GROUP BY barcode"
            " HAVING max(at) < ? AND sum(event = 'delivered') = 0 ORDER BY max(at)",
            (at,),
        )
        return [barcode for (barcode,) in rows]
