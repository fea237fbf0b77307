"""Faults that the service once had, put back into the source one by one."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.simulation.mutants import SRC, Mutant


class _Fault(NamedTuple):
    """`present` is what the module says today; `past` is what it said, or what comes to the same."""

    name: str
    module: str
    present: str
    past: str


_FAULTS = (
    _Fault(
        "queued and unconfirmed runs never end while look-ups fail",
        "core.reconcile",
        "        _end_overdue(queued, unclear, now, deps)\n",
        "",
    ),
    _Fault(
        "imports start in the order of the hosts' clocks",
        "core.transform_queue",
        "queue_key(run) == next(same_order, None)",
        "queue_key(run) == min(same_order, default=None)",
    ),
    _Fault(
        "a replace holds the import slot while another clock put an import before it",
        "core.start_queued",
        "(position.get(run.id, len(position)), run.requested_on, run.id)",
        "(run.requested_on, run.id)",
    ),
    _Fault(
        "a run goes back to the tail of the queue",
        "core.aws.queue_item",
        "list_append(:entry, if_not_exists(waiting, :none))",
        "list_append(if_not_exists(waiting, :none), :entry)",
    ),
    _Fault(
        "a reconciler that paused exports labels twice",
        "core.export_labels",
        "if deps.clock() - attempted_on > deps.policy.start_within:",
        "if False:",
    ),
    _Fault(
        "a start that paused is sent after it was taken for lost",
        "core.start_in_glue",
        "if deps.clock() - (run.start_attempted_on or run.requested_on) > deps.policy.start_within:",
        "if False:",
    ),
    _Fault(
        "one odd record of others blocks a transform",
        "core.aws.task_run_records",
        "        except (AttributeError, KeyError, TypeError, ValueError) as error:\n            _log.warning(",
        "        except ZeroDivisionError as error:\n            _log.warning(",
    ),
    _Fault(
        "one unreadable item ends the round for all",
        "core.aws.open_index",
        "except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:",
        "except ZeroDivisionError as error:",
    ),
    _Fault(
        "one unreadable stream record holds up its batch",
        "handlers.announce",
        "except Exception as error:",
        "except ZeroDivisionError as error:",
    ),
    _Fault(
        "S3's permanent refusals are answered as passing",
        "core.aws.files",
        'is_passing(code, error.response["ResponseMetadata"]["HTTPStatusCode"])',
        "True",
    ),
    _Fault(
        "replays are judged by today's settings",
        "core.start",
        "            return _replay_only(requested, command, invalid, deps)",
        "            raise invalid",
    ),
    _Fault(
        "commands older than the retention are carried out again",
        "core.requests",
        "if command.sent_on is not None and now - command.sent_on > policy.retention:",
        "if False:",
    ),
    _Fault(
        "an upload imports whatever version is there",
        "core.check_label_file",
        "if run.uploaded_version is not None and file.version not in run.uploaded_version.split():",
        "if False:",
    ),
    _Fault(
        "a lost import is given another request's run",
        "core.settle",
        "attempted_on - max(2 * deps.policy.start_deadline, _MIN_OWNER_AGE)",
        "attempted_on",
    ),
    _Fault(
        "a run goes back from STOPPING by an old listing",
        "core.track",
        "    return _ORDER.index(status) > _ORDER.index(recorded)",
        "    return status is not recorded",
    ),
)


def past_faults() -> Iterator[Mutant]:
    """Raises ValueError if the source has moved on: then the fault must be told anew."""
    for fault in _FAULTS:
        source = (SRC / f"{fault.module.replace('.', '/')}.py").read_text()
        if fault.present not in source:
            raise ValueError(f"{fault.module} has no {fault.present!r} any more: {fault.name}")
        yield Mutant(fault.name, fault.module, source.replace(fault.present, fault.past))
