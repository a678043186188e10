"""Faults on request, for servers that stand for providers.

PUT /-/fail?match=TEXT&times=N   the next N requests whose line has TEXT in it are answered with 503
PUT /-/hold?match=TEXT           the next such request is held after the first of its bytes, until its client is gone
GET /-/lines                     the lines of all requests so far, "METHOD PATH?QUERY", as JSON
GET /-/held                      how many requests were held
"""

import json
import threading
from urllib.parse import parse_qs


class Faults:
    def __init__(self):
        self.lock = threading.Lock()
        self.fail = ["", 0]
        self.hold = ""
        self.held = 0
        self.lines = []

    def control(self, method, path, query):
        """Answers a request for the server itself: a text."""
        told = {name: values[0] for name, values in parse_qs(query).items()}
        with self.lock:
            if path == "/-/fail":
                self.fail = [told["match"], int(told["times"])]
            elif path == "/-/hold":
                self.hold = told["match"]
            elif path == "/-/lines":
                return json.dumps(self.lines)
            elif path == "/-/held":
                return json.dumps(self.held)
        return "{}"

    def of(self, line):
        """What befalls a request: None, "fail" or "hold"."""
        with self.lock:
            self.lines.append(line)
            if self.fail[1] > 0 and self.fail[0] in line:
                self.fail[1] -= 1
                return "fail"
            if self.hold and self.hold in line:
                self.hold = ""
                return "hold"
            return None

    def is_held(self):
        with self.lock:
            self.held += 1
