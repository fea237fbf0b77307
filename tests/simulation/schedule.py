"""One schedule: processes, faults and the world around them, interleaved by a seed."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from core.cancel import cancel
from core.errors import LoopError
from core.reconcile import reconcile
from core.requests import LabelImportRequest, LabelingSetRequest, StartCommand
from core.runs import Run, Status
from core.start import start
from tests.simulation.choices import Choices
from tests.simulation.environment import HOST_CLOCK_OFFSETS, MAX_DELAY, TRANSFORMS, Environment
from tests.simulation.invariants import Violation, check_deadline, check_end, check_step
from tests.simulation.ports import STARTS, possible_outcomes
from tests.simulation.processes import Crashed, InlineExecutor, Outcome, Process

STEPS = 50
MAX_REQUESTS = 6
MAX_PROCESSES = 4
API_TIMEOUT = timedelta(seconds=29)
RECONCILE_TIMEOUT = timedelta(seconds=300)
TIME_JUMPS_SECONDS = (1, 5, 31, 61, 121, 301, 3_600, 90_000)
MAX_ROUNDS_TO_REST = 60
ROUNDS_BEFORE_DEADLINE = 8
Move = tuple[str | None, str]


@dataclass
class Result:
    """What a schedule did: the moves between states that it saw, and the promise that it broke, if any."""

    moves: Counter[Move]
    steps: int
    choices: list[int]
    trace: list[str]
    violation: str | None = None


@dataclass
class Request:
    """One idempotency key of one caller, and what it asks for. Sent any number of times."""

    command: StartCommand
    times_sent: int = 0


@dataclass
class Schedule:
    """`traces`: whether to say in words what happens."""

    choices: Choices
    traces: bool = False
    environment: Environment = field(default_factory=Environment)
    processes: list[Process] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    trace: list[str] = field(default_factory=list)
    faults: bool = True

    def run(self, steps: int = STEPS) -> Result:
        """Play the schedule, then let everything come to rest, checking every promise on the way."""
        done = 0
        violation = None
        try:
            for done in range(1, steps + 1):  # noqa: B007  told in the result
                self._step()
                check_step(self.environment)
            self._come_to_rest()
            check_end(self.environment, self.accepted)
        except Violation as broken:
            violation = str(broken)
        except Exception as fault:  # noqa: BLE001  an exception out of a handler is a finding, too
            violation = f"{type(fault).__name__}: {fault}"
        for process in self.processes:
            process.kill()
        moves = Counter((before.status.value if before else None, after.status.value) for before, after in self._changes())
        return Result(moves, done, self.choices.drawn, self.trace, violation)

    def _changes(self) -> Sequence[tuple[Run | None, Run]]:
        return self.environment.ledger.changes

    def _step(self) -> None:
        has_room = len(self.processes) < MAX_PROCESSES
        options: list[tuple[int, Callable[[], None]]] = [
            (40 if self.processes else 0, self._resume_one),
            (4 if has_room else 0, self._spawn_reconciler),
            (5 if has_room else 0, self._send_request),
            (1 if self.requests else 0, self._spawn_cancellation),
            (4, self._progress_glue),
            (3, self._pass_time),
            (2, self._deliver_stream),
            (1, self._disturb),
            (1, self._break_or_mend_lookups),
        ]
        position = self.choices.weighted([weight for weight, _ in options])
        options[position][1]()

    # --- processes

    def _resume_one(self) -> None:
        process = self.processes[self.choices.below(len(self.processes))]
        outcome = self._outcome(process)
        self._say(f"{process.name}: {process.call}" + ("" if outcome is Outcome.OK else f" -> {outcome}"))
        self._go_on(process, outcome)

    def _outcome(self, process: Process) -> Outcome:
        call = process.call
        if self.environment.clock.now > process.deadline or self._paused_too_long(process):
            return Outcome.CRASH_BEFORE
        if call is None:
            return Outcome.OK
        if self.environment.lookups_fail and call.method in ("list_task_runs", "get_task_run"):
            return Outcome.FAIL_BEFORE
        if not self.faults:
            return Outcome.OK
        outcomes = possible_outcomes(call)
        return list(outcomes)[self.choices.weighted(list(outcomes.values()))]

    def _paused_too_long(self, process: Process) -> bool:
        """A start that is not sent within MAX_DELAY never is: no lookup could find a run that starts later."""
        is_start = process.call is not None and process.call.method in STARTS
        return is_start and self.environment.clock.now - process.stopped_on > MAX_DELAY

    def _go_on(self, process: Process, outcome: Outcome | None = None) -> None:
        process.stopped_on = self.environment.clock.now
        try:
            lives = process.resume(outcome)
        except BaseException:
            self.processes.remove(process)
            raise
        if not lives:
            self.processes.remove(process)

    def _spawn(self, name: str, body: Callable[[], None], timeout: timedelta) -> None:
        process = Process(name, body, self.environment.clock.now, timeout)
        self.processes.append(process)
        self._go_on(process)

    def _offset(self) -> timedelta:
        return HOST_CLOCK_OFFSETS[self.choices.below(len(HOST_CLOCK_OFFSETS))] if self.faults else timedelta(0)

    def _send_request(self) -> None:
        count = len(self.requests) + (len(self.requests) < MAX_REQUESTS)
        position = self.choices.below(count)
        if position == len(self.requests):
            self.requests.append(Request(self._new_command(position)))
        request = self.requests[position]
        request.times_sent += 1
        command = request.command
        if not command.caller.startswith("events:"):  # a REST caller's retry is a message of its own, a redelivery is not
            command = _sent_again(command, request.times_sent)
        deps = self.environment.dependencies(self._offset())

        def body() -> None:
            try:
                self.accepted.add(start(command, deps).run.id)
            except (LoopError, Crashed):
                return

        self._say(f"request {position} is sent for the {request.times_sent}. time")
        self._spawn(f"request {position}", body, API_TIMEOUT)

    def _new_command(self, number: int) -> StartCommand:
        transform = TRANSFORMS[self.choices.below(len(TRANSFORMS))]
        kind = self.choices.below(5)
        caller = ("alice", "events:123456789012:app")[self.choices.below(2)]
        path = f"s3://bucket/labels/{transform}/{number}.csv"
        request: LabelImportRequest | LabelingSetRequest
        if kind <= 1:
            request = LabelingSetRequest.model_validate(
                {"transformId": transform, "outputS3Path": f"s3://bucket/sets/{number}/"}
            )
        else:
            export_to = f"s3://bucket/backups/{number}/" if kind == 4 else None
            request = LabelImportRequest.model_validate(
                {"transformId": transform, "inputS3Path": path, "replaceAllLabels": kind >= 3, "exportTo": export_to}
            )
        return StartCommand(
            caller=caller,
            key=f"key-{number}",
            request=request,
            correlation_id=f"correlation-{number}",
            causation_id=f"message-{number}",
        )

    def _spawn_reconciler(self) -> None:
        deps = self.environment.dependencies(self._offset())

        def body() -> None:
            try:
                reconcile(deps, executor=InlineExecutor())
            except (LoopError, Crashed):
                return

        self._spawn("reconciler", body, RECONCILE_TIMEOUT)

    def _spawn_cancellation(self) -> None:
        known = sorted(self.environment.ledger.items)
        if not known:
            return
        run_id = known[self.choices.below(len(known))]
        deps = self.environment.dependencies(self._offset())

        def body() -> None:
            try:
                cancel(run_id, deps)
            except (LoopError, Crashed):
                return

        self._spawn("cancellation", body, API_TIMEOUT)

    # --- the world around them

    def _progress_glue(self) -> None:
        statuses = (Status.RUNNING, Status.SUCCEEDED, Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT)
        status = statuses[self.choices.below(len(statuses))]
        self._say(f"a task run of Glue's is {status}")
        self.environment.progress_glue(self.choices.below(8), status)

    def _pass_time(self) -> None:
        seconds = TIME_JUMPS_SECONDS[self.choices.below(len(TIME_JUMPS_SECONDS))]
        self._say(f"{seconds} s pass")
        self.environment.pass_time(timedelta(seconds=seconds))

    def _deliver_stream(self) -> None:
        self.environment.deliver_stream(
            twice=self.choices.below(4) == 1, backwards=self.choices.below(4) == 1, size=1 + self.choices.below(20)
        )

    def _disturb(self) -> None:
        environment = self.environment
        kinds: dict[str, Callable[[], None]] = {
            "the index of open runs lags": environment.ledger.freeze_index,
            "someone else starts a run": lambda: environment.start_foreign_run(TRANSFORMS[self.choices.below(2)]),
            "the bus goes down": lambda: setattr(environment.bus, "is_down", True),
            "the bus is back": lambda: setattr(environment.bus, "is_down", False),
            "new runs are listed late": lambda: setattr(environment.glue, "listing_delay", timedelta(seconds=60)),
            "a file is replaced": self._replace_file,
            "Glue forgets a run": lambda: environment.forget_run(self.choices.below(8)),
            "the operator changes the paths": environment.narrow_paths,
        }
        name = list(kinds)[self.choices.below(len(kinds))]
        self._say(name)
        kinds[name]()

    def _break_or_mend_lookups(self) -> None:
        """A role that is narrowed, a policy that denies: look-ups fail until somebody mends that, for days if need be."""
        self.environment.lookups_fail = not self.environment.lookups_fail
        self._say(f"look-ups in Glue {'begin to fail' if self.environment.lookups_fail else 'work again'}")

    def _replace_file(self) -> None:
        path = f"s3://bucket/labels/{TRANSFORMS[self.choices.below(2)]}/{self.choices.below(MAX_REQUESTS)}.csv"
        contents = (b"labeling_set_id,label,id,name\nb,1,1,Ann\nb,2,2,Anne\n", b"no label file", None)
        self.environment.files.contents[path] = contents[self.choices.below(len(contents))]

    def _come_to_rest(self) -> None:
        """No more faults; but look-ups that fail go on failing until every request is past its deadline."""
        environment = self.environment
        self.faults = False
        self._say("--- no more faults")
        environment.bus.is_down = False
        environment.glue.listing_delay = timedelta(0)
        self._finish_processes()
        if environment.lookups_fail:
            self._rounds(ROUNDS_BEFORE_DEADLINE)
            environment.pass_time(environment.policy.start_deadline)
            self._rounds(ROUNDS_BEFORE_DEADLINE)
            check_deadline(environment)
            environment.lookups_fail = False
        self._rounds(MAX_ROUNDS_TO_REST)

    def _rounds(self, count: int) -> None:
        """A reconciler every minute, while Glue ends its runs and the stream is delivered, until nothing is left to do."""
        environment = self.environment
        for _ in range(count):
            environment.pass_time(timedelta(seconds=61))
            self._spawn_reconciler()
            self._finish_processes()
            environment.glue.finish_all()
            while environment.delivered < len(environment.ledger.changes):
                environment.deliver_stream()
            if all(run.status.is_terminal for run in environment.ledger.items.values()) and not environment.delayed:
                return

    def _finish_processes(self) -> None:
        while self.processes:
            self._go_on(self.processes[0], self._outcome(self.processes[0]))

    def _say(self, text: str) -> None:
        if self.traces:
            self.trace.append(f"{self.environment.clock.now:%d %H:%M:%S.%f}  {text}")


def _sent_again(command: StartCommand, times: int) -> StartCommand:
    return command._replace(causation_id=f"message-{command.key}-{times}")
