"""One schedule: handlers, faults and the world around them, interleaved by a seed."""

import inspect
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from core.errors import LoopError
from core.reconcile import reconcile
from core.runs import Status
from tests.simulation import callers, stream
from tests.simulation.callers import ALICE, BOB, KINDS, READERS, Request
from tests.simulation.choices import Choices
from tests.simulation.clients import LOOKUPS, STARTS, possible_outcomes
from tests.simulation.environment import GLUE_CLOCK_OFFSETS, HOST_CLOCK_OFFSETS, MAX_DELAY, TRANSFORMS, Environment, Host
from tests.simulation.processes import Crashed, InlineExecutor, Outcome, Process
from tests.simulation.promises import Move
from tests.simulation.starts import Violation
from tests.simulation.weather import Weather

STEPS = 50
MAX_REQUESTS = 6
HOSTS = 4
RUNS_AT_ONCE = (3, 2, 1, 1)
API_TIMEOUT = timedelta(seconds=29)
TIMEOUT = timedelta(seconds=300)
RESERVE = timedelta(seconds=60)
TIME_JUMPS_SECONDS = (1, 5, 20, 31, 61, 121, 301, 3_600, 90_000, 500_000)
BETWEEN_ROUNDS = timedelta(seconds=125)
MAX_ROUNDS_TO_REST = 60
ROUNDS_BEFORE_DEADLINE = 30
# How often a step is what, relative to the others.
_RESUME, _RECONCILE, _SEND, _CANCEL, _READ, _GLUE, _TIME, _ANNOUNCE, _WEATHER = 40, 4, 6, 1, 1, 4, 3, 2, 3
_HAS_PARTS = "part" in inspect.signature(reconcile).parameters


class Result(NamedTuple):
    """What a schedule did: the moves between states that it saw, and the promise that it broke, if any."""

    moves: Counter[Move]
    steps: int
    choices: list[int]
    trace: list[str]
    violation: str | None


class Schedule:
    """`traces`: whether to say in words what happens."""

    def __init__(self, choices: Choices, *, traces: bool = False) -> None:
        self.choices = choices
        self.traces = traces
        self.environment = Environment(GLUE_CLOCK_OFFSETS[choices.below(len(GLUE_CLOCK_OFFSETS))])
        self.environment.glue.runs_at_once = RUNS_AT_ONCE[choices.below(len(RUNS_AT_ONCE))]
        self.weather = Weather(self.environment, choices)
        self.hosts = [self._new_host() for _ in range(HOSTS)]
        self.processes: list[Process] = []
        self.requests: list[Request] = []
        self.trace: list[str] = []
        if traces:
            self.environment.say = self._say
        self.has_reconcilers = True
        self.has_stream = True
        self.faults = True

    def run(self, steps: int = STEPS) -> Result:
        """Play the schedule, then let everything come to rest, checking every promise on the way."""
        done = 0
        violation = None
        promises = self.environment.promises
        try:
            for done in range(1, steps + 1):  # noqa: B007  told in the result
                self._step()
                promises.check_step()
            self._come_to_rest()
            promises.check_rest()
        except Violation as broken:
            violation = str(broken)
        except Exception as fault:  # noqa: BLE001  an exception out of a handler is a finding, too
            violation = f"{type(fault).__name__}: {fault}"
        for process in self.processes:
            process.kill()
        return Result(promises.moves, done, self.choices.drawn, self.trace, violation)

    def _step(self) -> None:
        has_room = 1 if any(host.is_free for host in self.hosts) else 0
        options: tuple[tuple[int, Callable[[], None]], ...] = (
            (_RESUME if self.processes else 0, self._resume_one),
            (_TIME, self._pass_time),  # among the first, as a draw of 0 is the harmless one
            (_RECONCILE * has_room, self._spawn_reconciler),
            (_SEND * has_room, self._send_request),
            (_CANCEL * has_room, self._spawn_cancellation),
            (_READ * has_room, self._spawn_reader),
            (_GLUE, self._progress_glue),
            (_ANNOUNCE * has_room, self._spawn_announcer),
            (_WEATHER, self._change_weather),
        )
        position = self.choices.weighted([weight for weight, _ in options])
        options[position][1]()

    # --- processes

    def _resume_one(self) -> None:
        process = self.processes[self.choices.below(len(self.processes))]
        self._answer(process)

    def _answer(self, process: Process) -> None:
        """Let the process go on with an answer to the call at which it has stopped."""
        outcome = self._outcome(process)
        if outcome is not Outcome.OK and process.call is not None and process.call.method in LOOKUPS:
            self.environment.promises.had_failing_lookups.add(process.call.parameters["TransformId"])
        if self.traces:
            self._say(f"{process.name}: {process.call}" + ("" if outcome is Outcome.OK else f" -> {outcome.value}"))
        self._go_on(process, outcome)

    def _outcome(self, process: Process) -> Outcome:
        call = process.call
        if self.environment.clock.now > process.deadline or self._paused_too_long(process):
            return Outcome.CRASH_BEFORE
        if call is None:
            return Outcome.OK
        if self.environment.fails(call):
            return Outcome.DENIED
        if not self.faults:
            return Outcome.OK
        outcomes, weights = possible_outcomes(call.method)
        return outcomes[self.choices.weighted(weights)]

    def _paused_too_long(self, process: Process) -> bool:
        """A start that is not sent within MAX_DELAY never is: no look-up could find a run that starts later."""
        is_start = process.call is not None and process.call.method in STARTS
        return is_start and self.environment.clock.now - process.stopped_on > MAX_DELAY

    def _go_on(self, process: Process, outcome: Outcome | None = None) -> None:
        process.stopped_on = self.environment.clock.now
        lives = False
        try:
            lives = process.resume(outcome)
        except Crashed:
            pass
        finally:
            if not lives:
                self._end(process)

    def _end(self, process: Process) -> None:
        self.processes.remove(process)
        for number, host in enumerate(self.hosts):
            if host.process is process:
                host.process = None
                if process.has_crashed:
                    self.hosts[number] = self._new_host()

    def _new_host(self) -> Host:
        return Host(self.environment, HOST_CLOCK_OFFSETS[self.choices.below(len(HOST_CLOCK_OFFSETS))])

    def _spawn(self, name: str, body: Callable[[Host], None], timeout: timedelta) -> Process:
        """Invoke a handler on a host that is free."""
        free = [host for host in self.hosts if host.is_free]
        host = free[self.choices.below(len(free))]
        process = Process(name, lambda: body(host), self.environment.clock.now, timeout)
        host.process = process
        self.processes.append(process)
        self._go_on(process)
        return process

    def _send_request(self) -> None:
        position = self.choices.below(len(self.requests) + (len(self.requests) < MAX_REQUESTS))
        if position == len(self.requests):
            self.requests.append(self._new_request(position))
        request = self.requests[position]
        if request.event is None and request.times_sent and self.choices.below(8) == 1:
            request = self._other_payload(request)
        elif request.kind != "upload" and request.event is not None and request.times_sent and self.choices.below(4) == 1:
            callers.new_message(request, self.environment)
        self._send(request)

    def _send(self, request: Request) -> None:
        request.times_sent += 1
        environment = self.environment
        self._say(f"{request.name} ({request.kind}) is sent for the {request.times_sent}. time")

        def body(host: Host) -> None:
            deps = environment.dependencies(host)
            if request.event is None:
                callers.send_by_rest(request, deps, environment)
            else:
                callers.deliver_by_bus(request, deps, environment)

        self._spawn(request.name, body, API_TIMEOUT if request.event is None else TIMEOUT)

    def _new_request(self, number: int) -> Request:
        transform_id = TRANSFORMS[self.choices.below(len(TRANSFORMS))]
        sender = self.choices.below(5)
        kind = KINDS[self.choices.below(len(KINDS))]
        name, file_number = f"request-{number}", self.choices.below(2)
        if sender == 4:
            path = callers.label_file(transform_id, file_number)
            self._say(self.weather.replace_file(path))
            event = callers.upload_event(name, path, self.environment)
            return Request(name, f"s3:{callers.BUCKET}", "", "upload", {"inputS3Path": path}, event)
        body = callers.payload(kind, number, transform_id, file_number)
        if sender >= 2:
            request = Request(name, "events:123456789012:app", name, kind, body)
            request.event = callers.command_event(request, self.environment)
            return request
        return Request(name, (ALICE, BOB)[sender], f"key-{number % 4}", kind, body)

    def _other_payload(self, request: Request) -> Request:
        """The same key with another payload: a mistake of the caller."""
        other = dict(request.payload)
        other["transformId"] = TRANSFORMS[1 - TRANSFORMS.index(other["transformId"])]
        return Request(f"{request.name}, changed", request.caller, request.key, request.kind, other)

    def _spawn_reconciler(self, parts: int | None = None) -> None:
        if not self.has_reconcilers:
            return
        environment = self.environment
        part = self._part(parts)

        def body(host: Host) -> None:
            deadline = environment.clock.now + TIMEOUT - RESERVE
            with suppress(LoopError):  # the next round begins anew
                reconcile(
                    environment.dependencies(host),
                    executor=InlineExecutor(),
                    has_time_left=lambda: environment.clock.now < deadline,
                    **part,
                )

        self._say("the schedule invokes a reconciler")
        self._spawn("reconciler", body, TIMEOUT)

    def _part(self, parts: int | None) -> dict[str, Any]:
        """The part of the open runs that one invocation goes through: all of them, or one of two halves."""
        if not _HAS_PARTS:
            return {}
        from core.rounds import Part  # noqa: PLC0415  an older service has none

        drawn = self.choices.below(4) if parts is None else 0
        return {"part": Part(drawn - 2, 2) if drawn >= 2 else Part(0, 1)}

    def _spawn_cancellation(self) -> None:
        run_id = self._some_run()
        if run_id is None:
            return
        caller = READERS[self.choices.below(len(READERS))]
        self._say(f"{caller.rpartition('/')[2]} cancels {run_id[:6]}")
        self._spawn_attempt("cancellation", lambda deps: callers.cancel_as(caller, run_id, deps, self.environment))

    def _spawn_reader(self) -> None:
        run_id = self._some_run()
        caller = READERS[self.choices.below(len(READERS))]
        by_transform = self.choices.below(2) == 1
        self._say(f"{caller.rpartition('/')[2]} reads")
        self._spawn_attempt("reader", lambda deps: callers.read(caller, run_id, deps, by_transform=by_transform))

    def _spawn_attempt(self, name: str, body: Callable[[Any], None]) -> None:
        self._spawn(name, lambda host: body(self.environment.dependencies(host)), API_TIMEOUT)

    def _some_run(self) -> str | None:
        known = sorted(key for key, item in self.environment.table.items.items() if "status" in item)
        return known[self.choices.below(len(known))] if known else None

    # --- the stream

    def _spawn_announcer(self) -> None:
        if not self.has_stream:
            return
        size, order, times = 1 + self.choices.below(20), self.choices.below(4), 1 + (self.choices.below(4) == 1)
        environment = self.environment
        begin = environment.delivered
        batch = stream.records(environment, begin, size)
        if order == 1:
            batch.reverse()
        if batch:
            self._say(f"the stream delivers {len(batch)} records" + (" backwards" if order == 1 else ""))
            self._spawn("announcer", partial(stream.announce, environment, batch, begin, times), TIMEOUT)

    def _redrive(self) -> None:
        letters, self.environment.letters[:] = list(self.environment.letters), []
        for letter in letters:
            self._spawn("redrive", partial(stream.redrive, letter), TIMEOUT)
            self._finish_processes()

    # --- the world around them

    def _progress_glue(self) -> None:
        open_runs = [run for run in self.environment.glue.all_runs() if run.is_open]
        statuses = ("RUNNING", "SUCCEEDED", "SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")
        status = statuses[self.choices.below(len(statuses))]
        if open_runs:
            run = open_runs[self.choices.below(len(open_runs))]
            if status == "RUNNING" and run.status != "STARTING":
                return
            self._say(f"Glue's {run.task_run_id} is {status}")
            self.environment.glue.set_status(run, status)

    def _pass_time(self) -> None:
        seconds = TIME_JUMPS_SECONDS[self.choices.below(len(TIME_JUMPS_SECONDS))]
        self._say(f"{seconds} s pass")
        self.environment.pass_time(timedelta(seconds=seconds))

    def _change_weather(self) -> None:
        self._say(self.weather.change())

    def _come_to_rest(self) -> None:
        """No more faults; but look-ups that fail go on failing until every request is past its deadline."""
        environment = self.environment
        self.faults = False
        self._say("--- no more faults")
        self.weather.clear()
        self._finish_processes()
        self._deliver_events_again()
        if environment.unlistable:
            self._rounds(ROUNDS_BEFORE_DEADLINE)
            environment.promises.check_others(set(TRANSFORMS) - environment.unlistable)
            environment.pass_time(environment.policy.start_deadline)
            self._rounds(4)
            environment.promises.check_deadline()
            environment.unlistable.clear()
        self._rounds(MAX_ROUNDS_TO_REST)
        self._redrive()

    def _deliver_events_again(self) -> None:
        """EventBridge and Lambda deliver an event until the service has taken it; what is left goes to `make redrive`."""
        for request in self.requests:
            while request.event is not None and not request.is_handled and request.times_sent < 20:
                self._send(request)
                self._finish_processes()
                if not request.is_handled:
                    self._rounds(1)
            if request.event is not None and not request.is_handled:
                raise Violation("an event was never taken")

    def _rounds(self, number: int) -> None:
        """A reconciler every other minute, while Glue ends its runs and events go out, until nothing is left to do."""
        environment = self.environment
        for _ in range(number):
            environment.pass_time(BETWEEN_ROUNDS)
            self._spawn_reconciler(parts=1)
            self._finish_processes()
            environment.glue.finish_all()
            while environment.delivered < len(environment.stream) and self.has_stream:
                begin = environment.delivered
                batch = stream.records(environment, begin, 100)
                self._spawn("announcer", partial(stream.announce, environment, batch, begin, 1), TIMEOUT)
                self._finish_processes()
            environment.promises.check_step()
            items = environment.table.items.values()
            if not environment.delayed and all(Status(item["status"]["S"]).is_terminal for item in items if "status" in item):
                return

    def _finish_processes(self) -> None:
        while self.processes:
            self._answer(self.processes[0])

    def _say(self, text: str) -> None:
        if self.traces:
            self.trace.append(f"{self.environment.clock.now:%d %H:%M:%S.%f}  {text}")
