"""What callers may rely on, in the README's words, checked at every change of the ledger, start in Glue and event.

Each promise is stated once. What this module knows of the service is its public interface: states, keys, events. Who owns a
task run is told by the ledger at the moment of its start: by the run's own prefix, or by the transform's open exclusive run.
"""

from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from core.events import DetailType, event_id
from core.ports import Policy
from core.runs import Run, Status
from tests.fakes.clock import FakeClock
from tests.simulation.glue import SimulatedGlue, TaskRun
from tests.simulation.moves import is_legal
from tests.simulation.processes import process_or_none
from tests.simulation.starts import FINAL_EVENTS, Start, StartPromises, Violation
from tests.simulation.table import Item, Table

ENDED_IN_GLUE = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"}
NEVER_STARTED = {"REFUSED", "START_FAILED", "CANCELLED"}
UNDECIDED = {"RESERVED", "QUEUED", "UNCONFIRMED"}
STARTED = "TaskRunStarted"
Move = tuple[str | None, str]
_CLOCKS_APART = timedelta(seconds=10)


class Promises(StartPromises):
    """All promises; `StartPromises` has those about starts."""

    def __init__(self, table: Table, glue: SimulatedGlue, clock: FakeClock, policy: Policy) -> None:
        super().__init__(table, glue, clock)
        self._shortest_deadline = policy.start_deadline
        self._limits = deque([policy.max_queued], maxlen=3)  # processes may still have the settings of a moment ago
        self.moves: Counter[Move] = Counter()
        self.accepted: set[str] = set()
        self.cancelled: set[str] = set()  # runs of which somebody requested the cancellation
        self.had_failing_lookups: set[str] = set()  # transforms
        self._changes = 0
        self._written: set[tuple[str, str, str]] = set()  # id, revision and status of every run that was
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
        late = [(item["id"]["S"][:6], str(item["status"]["S"])) for item in self._runs() if item["status"]["S"] in UNDECIDED]
        self._require(not late, f"past the start deadline, and still undecided: {late}")
        self.check_step()

    def check_others(self, transforms: Iterable[str]) -> None:
        """What holds although other transforms' look-ups fail. Raises Violation."""
        held_up = [item["id"]["S"][:6] for item in self._open() if item["transformId"]["S"] in transforms]
        self._require(not held_up, f"a bad transform holds up others: {held_up}")
        self.check_step()

    def check_rest(self) -> None:
        """What holds once everything has come to rest. Raises Violation."""
        still_open = [(item["id"]["S"][:6], str(item["status"]["S"])) for item in self._open()]
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
