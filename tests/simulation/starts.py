"""What callers may rely on when something is started in Glue: once, in order, as requested, after checks and exports.

Who owns a task run is told by the ledger at the moment of its start: by the run's own prefix, or by the transform's open
exclusive run.
"""

import re
from collections import Counter
from typing import NamedTuple

from core.runs import Status
from tests.fakes.clock import FakeClock
from tests.simulation.glue import EXPORT, IMPORT, LABELING, SimulatedGlue, TaskRun
from tests.simulation.processes import process_or_none
from tests.simulation.table import Item, Table

FINAL_EVENTS = {
    "SUCCEEDED": "TaskRunSucceeded",
    "FAILED": "TaskRunFailed",
    "STOPPED": "TaskRunStopped",
    "TIMEOUT": "TaskRunTimedOut",
    "REFUSED": "TaskRunRefused",
    "START_FAILED": "TaskRunStartFailed",
    "CANCELLED": "TaskRunCancelled",
    "LOST": "TaskRunLost",
}


class Violation(AssertionError):
    """A promise was broken; the message says which, and how."""


class Start(NamedTuple):
    """What one task run of ours was started for. `generation` counts how often the ledger has forgotten the key."""

    run_id: str
    attempt: int
    generation: int
    is_export_before_import: bool


class StartPromises:
    """`violation` says which promise was broken first, if any."""

    def __init__(self, table: Table, glue: SimulatedGlue, clock: FakeClock) -> None:
        self._table = table
        self._glue = glue
        self._clock = clock
        self.violation: str | None = None
        self.owners: dict[str, Start] = {}  # by Glue's id
        self.uploads: dict[str, str] = {}  # by event: the ETag of the label file
        self.may_be_mistaken = False  # whether others' evaluations look like ours
        self._generation_of_message: dict[str, int] = {}
        self._starts: Counter[Start] = Counter()
        self._generations: Counter[str] = Counter()
        self._order: dict[str, int] = {}  # when the ledger took the last attempt of a run
        self._started_in_order: dict[str, int] = {}  # by transform: the greatest of those numbers that Glue has started
        self._forgotten: dict[str, TaskRun] = {}

    def on_start(self, run: TaskRun) -> None:
        item = self._owner(run)
        if item is None:
            self._break(f"Glue was asked for a {run.task_type} that no request owns")
            return
        is_export = run.task_type == EXPORT and item["taskType"]["S"] != EXPORT
        run_id, attempt = item["id"]["S"], int(item["attempt"]["N"])
        start = Start(run_id, attempt, self._generations[run_id], is_export)
        self.owners[run.task_run_id] = start
        process = process_or_none()
        if process is not None:
            process.has_started = True
        self._starts[start] += 1
        if not item["requestedBy"]["S"].startswith("arn:"):  # a message of a bus, which may come again from an archive
            first = self._generation_of_message.setdefault(item["causationId"]["S"], start.generation)
            self._require(first == start.generation, "a message was carried out again after its key was forgotten")
        self._require(self._starts[start] == 1, f"one request started {'two exports' if is_export else 'two runs'}: {start}")
        self._is_what_was_requested(run, item, is_export=is_export)
        if run.task_type != LABELING:
            self._exclusive_runs_go_one_at_a_time(run, run_id)
            self._exclusive_runs_go_in_order(run, run_id)
        if run.task_type == IMPORT:
            self._file_was_checked(run, item)
            if "exportTo" in item:
                self._labels_were_exported(run, start)

    def _is_what_was_requested(self, run: TaskRun, item: Item, *, is_export: bool) -> None:
        path = item.get("exportTo" if is_export else "path", {}).get("S")
        fits = run.path == path or (is_export and (run.path or "").startswith(path or "?"))
        same = run.transform_id == item["transformId"]["S"] and (is_export or run.task_type == item["taskType"]["S"])
        self._require(fits and same, f"Glue was asked for {run.task_type} of {run.path}, the caller for {path}")
        replaces = item.get("replaceAllLabels", {}).get("BOOL", False)
        self._require(is_export or run.replaces == replaces, "labels are replaced against the caller's word")

    def _exclusive_runs_go_one_at_a_time(self, run: TaskRun, run_id: str) -> None:
        """Imports, evaluations and exports of a transform run one at a time."""
        others = [
            other.task_run_id
            for other in self._glue.transforms[run.transform_id].runs
            if other.is_ours
            and other.is_open
            and other.task_type != LABELING
            and other is not run
            and self._is_still_tracked(other, run_id)
        ]
        self._require(not others, f"{run.task_type} runs beside {others}")

    def _is_still_tracked(self, run: TaskRun, run_id: str) -> bool:
        """Whether others must wait for `run`: not if nobody knows whether it goes on, or if it is an export for nothing."""
        owner = self.owners.get(run.task_run_id)
        item = self._table.items.get(owner.run_id) if owner else None
        if owner is None or item is None or self.may_be_mistaken or owner.generation != self._generations[owner.run_id]:
            return False
        if owner.is_export_before_import:
            return item["id"]["S"] == run_id or item["status"]["S"] not in FINAL_EVENTS
        return bool(item["status"]["S"] != "LOST")

    def _exclusive_runs_go_in_order(self, run: TaskRun, run_id: str) -> None:
        """They run in the order of acceptance: all that were accepted earlier have ended, none that came later has started."""
        mine = self._order[run_id]
        earlier = [
            item["id"]["S"][:6]
            for item in self._open()
            if item["transformId"]["S"] == run.transform_id
            and item["taskType"]["S"] != LABELING
            and self._order[item["id"]["S"]] < mine
        ]
        self._require(not earlier, f"{run.task_type} passed {earlier}, accepted before it")
        latest = self._started_in_order.get(run.transform_id, 0)
        self._require(latest <= mine, f"{run.task_type} came after one that was accepted later")
        self._started_in_order[run.transform_id] = max(latest, mine)

    def _file_was_checked(self, run: TaskRun, item: Item) -> None:
        """No label file reaches Glue that was not looked at just before; an upload's is the version that its event names."""
        process = process_or_none()
        if process is None:
            return
        path, version = process.checked_file or ("", None)
        self._require(path == run.path and version is not None, "a label file was not checked before its import")
        uploaded = self.uploads.get(item["causationId"]["S"], version)
        self._require(version == uploaded, "an upload started the import of another version")

    def _labels_were_exported(self, run: TaskRun, start: Start) -> None:
        """No labels are replaced before their export has succeeded, and none that came after it."""
        transform = self._glue.transforms[run.transform_id]
        if not transform.label_count:
            return
        exports = [
            other
            for other in [*transform.runs, *self._forgotten.values()]
            if self.owners.get(other.task_run_id) == start._replace(is_export_before_import=True)
            and other.status == "SUCCEEDED"
        ]
        self._require(bool(exports), "labels were replaced before their export had succeeded")
        newest = max((export.labels for export in exports), default=transform.labels)
        self._require(newest == transform.labels, "labels were replaced that came after the export")

    def _owner(self, run: TaskRun) -> Item | None:
        """The request that a start belongs to."""
        ids = re.findall(r"[0-9a-f]{32}", run.path or "")
        if run.task_type != IMPORT and ids:
            return self._table.items.get(ids[-1])
        queue = self._table.items.get(f"line#{run.transform_id}", {})
        return self._table.items.get(queue.get("importing", {}).get("S", ""))

    def _runs(self) -> list[Item]:
        return [item for item in self._table.items.values() if "status" in item]

    def _open(self) -> list[Item]:
        return [item for item in self._runs() if not Status(item["status"]["S"]).is_terminal]

    def _require(self, holds: bool, message: str) -> None:  # noqa: FBT001  an assertion's first argument
        if not holds:
            self._break(message)

    def _break(self, message: str) -> None:
        if self.violation is None:
            self.violation = message
