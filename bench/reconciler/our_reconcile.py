"""Our reconcile: the schedule handler, invoked once as Lambda does, for part 0 of as many as the argument says."""

import sys
from types import SimpleNamespace
from typing import Any

from bench.reconciler.usage import report
from handlers.schedule import handler

_CONTEXT: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)

if __name__ == "__main__":
    report(lambda: handler({"part": 0, "parts": int(sys.argv[1])}, _CONTEXT)["ended"])
