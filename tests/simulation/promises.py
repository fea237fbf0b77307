"""What callers may rely on, in the README's words, checked at every change of the ledger, start in Glue and event.

Each promise is stated once. What this module knows of the service is its public interface: states, keys, events. Who owns a
task run is told by the ledger at the moment of its start: by the run's own prefix, or by the transform's open exclusive run.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

from core.events import DetailType, event_id
from core.ports import Policy
from core.runs import Run, Status
from tests.fakes.clock import FakeClock
from tests.simulation.glue import EXPORT, IMPORT, LABELING, SimulatedGlue, TaskRun
from tests.simulation.moves import is_legal
from tests.simulation.processes import process_or_none
from tests.simulation.table import Item, Table

ENDED_IN_GLUE = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"}
NEVER_STARTED = {"REFUSED", "START_FAILED", "CANCELLED"}
UNDECIDED = {"RESERVED", "QUEUED", "UNCONFIRMED"}
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
STARTED = "TaskRunStarted"
Move = tuple[str | None, str]
_CLOCKS_APART = timedelta(seconds=10)


class Violation(AssertionError):
    """A promise was broken; the message says which, and how."""


class Start(NamedTuple):
    """What one task run of ours was started for. `generation` counts how often the ledger has forgotten the key."""

    run_id: str
    attempt: int
    generation: int
    is_export_before_import: bool


class Promises:
    def __init__(self, table: Table, glue: SimulatedGlue, clock: FakeClock, policy: Policy) -> None:
        self._table = table
        self._glue = glue
        self._clock = clock
        self._shortest_deadline = policy.start_deadline
        self._limits = deque([policy.max_queued], maxlen=3)  # processes may still have the settings of a moment ago
        self.violation: str | None = None
        self.moves: Counter[Move] = Counter()
        self.owners: dict[str, Start] = {}  # by Glue's id
        self.accepted: set[str] = set()
        self.cancelled: set[str] = set()  # runs of which somebody requested the cancellation
        self.had_failing_lookups: set[str] = set()  # transforms
        self.may_be_mistaken = False  # whether others' evaluations look like ours
        self._starts: Counter[Start] = Counter()
        self._generations: Counter[str] = Counter()
        self._order: dict[str, int] = {}  # when the ledger took the last attempt of a run
        self._changes = 0
        self._started_in_order: dict[str, int] = {}  # by transform: the greatest of those numbers that Glue has started
        self._written: set[tuple[str, str, str]] = set()  # id, revision and status of every run that was
        self._forgotten: dict[str, TaskRun] = {}
        self._expiring: str | None = None
        self._expected: dict[str, tuple[str, int, str]] = {}  # by event id: the run's id, its attempt, the event's type
        self._delivered: set[str] = set()
        self._reserved_by: dict[str, object] = {}  # the process that starts a reserved run

    # --- what the world tells

    def on_settings(self, policy: Policy) -> None:
        self._limits.append(policy.max_queued)
        self._shortest_deadline = min(self._shortest_deadline, policy.start_deadline)

    def on_forgotten(self, run: TaskRun) -> None:
        """Of a run that Glue has forgotten, nobody can know any more that it was started."""
        self._forgotten[run.task_run_id] = run
        if run.task_run_id in self.owners:
            self._starts[self.owners[run.task_run_id]] -= 1

    def on_expired(self, key: str) -> None:
        self._expiring = key
        self._generations[key] += 1
        self.accepted.discard(key)

    def on_change(self, old: Item | None, new: Item | None) -> None:
        self._changes += 1
        if new is not None and "status" in new:
            self._on_run(old, new)
        elif old is not None and "status" in old:
            is_allowed = old["id"]["S"] == self._expiring or old["status"]["S"] == "RESERVED"
            self._require(is_allowed, f"an accepted request was forgotten, as {old['status']['S']}")
            self._expiring = None
        elif new is not None and "waiting" in new:
            self._queue_keeps_its_limit(old, new)

    def on_start(self, run: TaskRun) -> None:
        item = self._owner(run)
        if item is None:
            self._break(f"Glue was asked for a {run.task_type} that no request owns")
            return
        is_export = run.task_type == EXPORT and item["taskType"]["S"] != EXPORT
        run_id, attempt = item["id"]["S"], int(item["attempt"]["N"])
        start = Start(run_id, attempt, self._generations[run_id], is_export)
        self.owners[run.task_run_id] = start
        self._starts[start] += 1
        self._require(self._starts[start] == 1, f"one request started {'two exports' if is_export else 'two runs'}: {start}")
        self._is_what_was_requested(run, item, is_export=is_export)
        if run.task_type != LABELING:
            self._exclusive_runs_go_one_at_a_time(run, run_id)
            self._exclusive_runs_go_in_order(run, run_id)
        if run.task_type == IMPORT:
            self._file_was_checked(run)
            if "exportTo" in item:
                self._labels_were_exported(run, start)

    def on_event(self, detail_type: str, detail: dict[str, Any]) -> None:
        data, event_id = detail["data"], detail["metadata"]["eventId"]
        announced = self._expected.get(event_id)
        if announced is None or announced[0] != data["id"] or announced[2] != detail_type:
            self._break(f"{detail_type} of {data['id']} has the event id of {announced}")
        self._delivered.add(event_id)
        is_final = detail_type != STARTED
        self._require(not is_final or FINAL_EVENTS.get(data["status"]) == detail_type, f"{detail_type} says {data['status']}")

    def is_in_flight(self, run_id: str) -> bool:
        """Whether a start with this key may be on its way."""
        item = self._table.items.get(run_id)
        if item is None or item["status"]["S"] != "RESERVED":
            return False
        lease: datetime = datetime.fromisoformat(item["leaseUntil"]["S"])
        return lease >= self._clock.now - _CLOCKS_APART

    def on_answer(self, run: Run) -> None:
        """An answer tells what the ledger holds, or held while it was on its way; or that a start is unconfirmed."""
        is_written = (run.id, run.revision, run.status) in self._written
        self._require(
            is_written or run.status is Status.UNCONFIRMED, f"the answer says {run.status}, which the ledger never did"
        )

    def is_known(self, run_id: str) -> bool:
        """Whether the ledger has a request that is replayed, not attempted again, when its key is sent again."""
        item = self._table.items.get(run_id)
        return item is not None and item["status"]["S"] not in NEVER_STARTED

    # --- what is checked when

    def check_step(self) -> None:
        """Raises Violation if anything that was told broke a promise."""
        if self.violation is not None:
            raise Violation(self.violation)

    def check_deadline(self) -> None:
        """What holds once every request's start deadline has passed, even if Glue cannot be looked up. Raises Violation."""
        late = [(item["id"]["S"][:6], item["status"]["S"]) for item in self._runs() if item["status"]["S"] in UNDECIDED]
        self._require(not late, f"past the start deadline, and still undecided: {late}")
        self.check_step()

    def check_others(self, transforms: Iterable[str]) -> None:
        """What holds although other transforms' look-ups fail. Raises Violation."""
        held_up = [item["id"]["S"][:6] for item in self._open() if item["transformId"]["S"] in transforms]
        self._require(not held_up, f"a bad transform holds up others: {held_up}")
        self.check_step()

    def check_rest(self) -> None:
        """What holds once everything has come to rest. Raises Violation."""
        still_open = [(item["id"]["S"][:6], item["status"]["S"]) for item in self._open()]
        self._require(not still_open, f"still open in a quiet world: {still_open}")
        forgotten = [run_id for run_id in self.accepted if run_id not in self._table.items]
        self._require(not forgotten, f"an accepted request was forgotten: {forgotten}")
        for item in self._runs():
            self._ledger_says_what_glue_says(item)
        self._glue_has_no_other_runs_of_ours()
        missing = [event for event_id, event in self._expected.items() if event_id not in self._delivered]
        self._require(not missing, f"never announced: {missing}")
        stuck = [item for item in self._table.items.values() if item.get("waiting", {}).get("L") or "importing" in item]
        self._require(not stuck, f"the queue of a transform is stuck: {stuck}")
        self.check_step()

    # --- the promises

    def _on_run(self, old: Item | None, new: Item) -> None:
        before, after = (None if old is None else old["status"]["S"]), new["status"]["S"]
        self._written.add((new["id"]["S"], new["revision"]["S"], after))
        self.moves[before and str(before), str(after)] += 1
        self._require(is_legal(before, after), f"an illegal move: {before} -> {after}")
        attempts = (None if old is None else int(old["attempt"]["N"])), int(new["attempt"]["N"])
        is_new_attempt = old is None or attempts[0] != attempts[1]
        if is_new_attempt:
            self._order[new["id"]["S"]] = self._changes
            self._attempts_count_up(old, new, attempts)
        else:
            self._identity_stays(old, new)
        has_id_already = not is_new_attempt and old is not None and "taskRunId" in old
        if "taskRunId" in new and not has_id_already:
            self._expect_event(new, STARTED)
        if after in FINAL_EVENTS and (is_new_attempt or before != after):
            self._expect_event(new, FINAL_EVENTS[after])
            self._ends_for_its_reason(new)
        self._start_in_flight_is_left_alone(old, new)
        self._runs_of_others_keep_theirs(new)

    def _expect_event(self, new: Item, detail_type: str) -> None:
        """Every event of an attempt has an id of its own, and always the same."""
        event = (new["id"]["S"], int(new["attempt"]["N"]), detail_type)
        run: Any = SimpleNamespace(id=event[0], attempt=event[1])
        known = self._expected.setdefault(event_id(run, DetailType(detail_type)), event)
        if known != event:
            self._break(f"one event id for {known} and {event}")

    def _start_in_flight_is_left_alone(self, old: Item | None, new: Item) -> None:
        """While a request is in flight, nobody else takes its start for lost."""
        process = process_or_none()
        if new["status"]["S"] == "RESERVED" and (old is None or old["status"]["S"] != "RESERVED"):
            self._reserved_by[new["id"]["S"]] = process
        elif old is not None and (old["status"]["S"], new["status"]["S"]) == ("RESERVED", "UNCONFIRMED"):
            lease = datetime.fromisoformat(old["leaseUntil"]["S"])
            if lease > self._clock.now + _CLOCKS_APART and process not in (None, self._reserved_by.get(new["id"]["S"])):
                self._break("a start in flight was taken for lost")

    def _attempts_count_up(self, old: Item | None, new: Item, attempts: tuple[int | None, int]) -> None:
        """A message that is delivered again starts nothing again; a caller who sends the key again starts a new attempt."""
        before, after = attempts
        if before is not None and after == before - 1:  # an attempt is given back that Glue did not take
            self._require(new["status"]["S"] in NEVER_STARTED, f"given back as {new['status']['S']}")
            return
        self._require(after == (before or 0) + 1, f"attempt {after} follows {before}")
        if old is not None and not new["requestedBy"]["S"].startswith("arn:"):
            is_redelivered = old["causationId"] == new["causationId"]
            self._require(not is_redelivered, "a message that was delivered again started a new attempt")

    def _identity_stays(self, old: Item | None, new: Item) -> None:
        """What a request asked for, and Glue's id of its run, never change within an attempt."""
        names = ("requestedBy", "transformId", "path", "taskType", "replaceAllLabels", "exportTo", "causationId")
        changed = [name for name in names if old is not None and old.get(name) != new.get(name)]
        if old is not None and "taskRunId" in old and old["taskRunId"] != new.get("taskRunId"):
            changed.append("taskRunId")
        self._require(not changed, f"{changed} of a request changed")
        if (
            old is not None
            and "cancelRequested" in old
            and old["cancelRequested"]["BOOL"]
            and new["status"]["S"] not in FINAL_EVENTS
        ):
            self._require(new.get("cancelRequested", {}).get("BOOL") is True, "a requested cancellation was forgotten")

    def _ends_for_its_reason(self, new: Item) -> None:
        """No request ends as overdue, cancelled or lost that is not."""
        status, code = new["status"]["S"], new.get("errorCode", {}).get("S")
        if code == "START_DEADLINE":
            waited = self._clock.now - datetime.fromisoformat(new["requestedOn"]["S"])
            self._require(waited >= self._shortest_deadline - _CLOCKS_APART, f"ended as overdue after {waited}")
        elif status == "CANCELLED":
            self._require(new["id"]["S"] in self.cancelled, "cancelled, and nobody wanted that")
        elif code == "UNKNOWN_TO_GLUE":
            transform = self._glue.transforms[new["transformId"]["S"]]
            known = transform.exists and any(run.task_run_id == new["taskRunId"]["S"] for run in transform.runs)
            self._require(not known, "ended as unknown to Glue, which knows it")
        elif code == "START_NOT_SETTLED":
            self._require(new["transformId"]["S"] in self.had_failing_lookups, "ended as unsettled, but Glue could be asked")

    def _runs_of_others_keep_theirs(self, new: Item) -> None:
        if "taskRunId" in new and not self.may_be_mistaken:
            owner = self.owners.get(new["taskRunId"]["S"])
            self._require(
                owner is not None and owner[:2] == (new["id"]["S"], int(new["attempt"]["N"])),
                f"a request was given another's task run: {owner}",
            )

    def _queue_keeps_its_limit(self, old: Item | None, new: Item) -> None:
        before = [] if old is None else old.get("waiting", {"L": []})["L"]
        after = new["waiting"]["L"]
        joined_at_tail = len(after) == len(before) + 1 and after[: len(before)] == before
        limit = max(self._limits)
        self._require(not joined_at_tail or not before or len(before) < limit, f"{len(after)} runs are queued, {limit} may be")

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

    def _file_was_checked(self, run: TaskRun) -> None:
        """No label file reaches Glue that was not looked at just before."""
        process = process_or_none()
        if process is not None:
            self._require(process.checked_file == run.path, "a label file was not checked before its import")

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

    def _ledger_says_what_glue_says(self, item: Item) -> None:
        run_id, status, attempt = item["id"]["S"], item["status"]["S"], int(item["attempt"]["N"])
        own = Start(run_id, attempt, self._generations[run_id], is_export_before_import=False)
        task_run_id = item.get("taskRunId", {}).get("S")
        if status in NEVER_STARTED:
            self._require(task_run_id is None and not self._starts[own], f"{status}, although Glue started it")
        elif status != "LOST":
            runs = [run for run in self._glue.all_runs() if run.task_run_id == task_run_id]
            self._require(bool(runs), f"{status}, but Glue has no task run {task_run_id}")
            for run in runs:
                self._require(run.status == status, f"the ledger says {status}, Glue says {run.status}")

    def _glue_has_no_other_runs_of_ours(self) -> None:
        for run in self._glue.all_runs():
            start = self.owners.get(run.task_run_id)
            item = self._table.items.get(start.run_id) if start else None
            if item is None or start is None or start.is_export_before_import or self.may_be_mistaken:
                continue
            is_current = start[1:3] == (int(item["attempt"]["N"]), self._generations[start.run_id])
            if item["status"]["S"] != "LOST" and is_current:
                known = item.get("taskRunId", {}).get("S") == run.task_run_id
                self._require(known, f"Glue ran {run.task_run_id}, of which the ledger knows nothing")

    # ---

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
