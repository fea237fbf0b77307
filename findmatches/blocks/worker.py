"""A process that runs stages: requests come in as lines of JSON, blocks and facts as files, answers go out as JSON.

Started by ProcessExchange as `python -c`, not forked: the caller may have threads, and needs no guarded main module.
"""

import json
import os
import resource
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from findmatches.blocks.files import block_in, mapped, read_facts, write_blocks


def main() -> None:
    """Serves until standard input ends."""
    # Only answers go to the real standard output, whatever else prints.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    facts: dict[str, Any] = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            for path, layout in request["facts"]:
                facts.update(read_facts(Path(path), layout))
            answer = {"index": _run(request, facts)}
        except Exception:  # noqa: BLE001 - the caller raises it again
            answer = {"error": traceback.format_exc()}
        answer["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _run(request: dict[str, Any], facts: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    module, name = request["function"]
    files = {path: mapped(Path(path)) for path in {path for blocks in request["blocks"].values() for path, _ in blocks}}
    blocks = {kind: [block_in(files[path], layout) for path, layout in of_kind] for kind, of_kind in request["blocks"].items()}
    function = getattr(import_module(module), name)
    return write_blocks(Path(request["output"]), function(request["part"], blocks, facts))
