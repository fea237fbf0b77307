"""What befalls the world: services that fail for days, odd records, other people, changed files and settings."""

from collections.abc import Callable
from datetime import timedelta

from core.paths import AllowedPrefixes
from tests.simulation.callers import ALICE, label_file
from tests.simulation.choices import Choices
from tests.simulation.environment import MAX_QUEUED, TRANSFORMS, Environment
from tests.simulation.glue import EVALUATION, EXPORT, IMPORT, LABELING
from tests.simulation.objects import BAD, ERROR_CODES, GOOD, OTHER_GOOD, PASSING_ERROR

_DAMAGED = "d" * 32
_NARROW = "s3://another-bucket/"
_ALL = "s3://bucket/, s3://another-bucket/"
_ODD_RECORDS: tuple[tuple[frozenset[str], str | None], ...] = (
    (frozenset(), None),
    (frozenset({"StartedOn", "LastModifiedOn"}), None),
    (frozenset({"Properties"}), None),
    (frozenset({"TaskRunId"}), None),
    (frozenset({"Status"}), None),
    (frozenset(), "PENDING"),
)


class Weather:
    def __init__(self, environment: Environment, choices: Choices) -> None:
        self._environment = environment
        self._choices = choices
        self._kinds: tuple[Callable[[], str], ...] = (
            self._lag,
            self._look_ups,
            self._look_ups,
            self._roles,
            self._bus,
            self._files,
            self._files,
            self._others,
            self._settings,
            self._settings,
            self._transforms,
            self._damage,
        )

    def change(self) -> str:
        """Change one thing, and say in words which."""
        return self._kinds[self._choices.below(len(self._kinds))]()

    def clear(self) -> None:
        """Mend what would keep the world from coming to rest, but for look-ups that fail: those go on past the deadlines."""
        environment = self._environment
        environment.events.is_down = False
        environment.glue.listing_delay = timedelta(0)
        environment.denied.clear()
        environment.change_settings(max_queued=MAX_QUEUED)
        for path, content in environment.s3.contents.items():
            if content == PASSING_ERROR:
                environment.put_file(path, GOOD)

    def replace_file(self, path: str) -> str:
        contents: tuple[bytes | str, ...] = (GOOD, OTHER_GOOD, BAD, *ERROR_CODES, PASSING_ERROR)
        position = max(0, self._choices.below(len(contents) + 4) - 4)  # good ones most of the time
        self._environment.put_file(path, contents[position])
        return f"{path} is now {contents[position]!r}"

    def _lag(self) -> str:
        if self._choices.below(2):
            self._environment.glue.listing_delay = timedelta(seconds=60)
            return "new runs are listed late"
        self._environment.table.freeze_indexes()
        return "the indexes of the ledger lag"

    def _look_ups(self) -> str:
        """A role that is narrowed, a policy that denies: look-ups fail until somebody mends that, for days if need be."""
        transform_id = self._transform()
        self._environment.unlistable ^= {transform_id}
        if transform_id not in self._environment.unlistable:
            return f"look-ups of {transform_id} work again"
        self._environment.promises.had_failing_lookups.add(transform_id)
        return f"look-ups of {transform_id} begin to fail"

    def _roles(self) -> str:
        """Rights are taken away, or given back."""
        service = ("starts", "s3", "glue", "dynamodb")[self._choices.below(4)]
        self._environment.denied ^= {service}
        if service == "glue":
            self._environment.promises.had_failing_lookups.update(TRANSFORMS)
        return f"{service}: {'denied' if service in self._environment.denied else 'allowed again'}"

    def _bus(self) -> str:
        self._environment.events.is_down = not self._environment.events.is_down
        return f"the bus is {'down' if self._environment.events.is_down else 'back'}"

    def _files(self) -> str:
        return self.replace_file(label_file(self._transform(), self._choices.below(2)))

    def _others(self) -> str:
        """Somebody else starts runs in Glue, and Glue's records of them are odd."""
        task_type = (LABELING, IMPORT, EXPORT, EVALUATION)[self._choices.below(4)]
        hidden, odd_status = _ODD_RECORDS[self._choices.below(len(_ODD_RECORDS))]
        if task_type == EVALUATION:
            self._environment.promises.may_be_mistaken = True  # the README's known limits say so
        self._environment.glue.add_foreign_run(self._transform(), task_type, hidden, odd_status)
        record = f"without {', '.join(sorted(hidden)) or 'nothing'}, in status {odd_status or 'STARTING'}"
        return f"someone else starts a run of type {task_type}, which Glue shows {record}"

    def _settings(self) -> str:
        changes: tuple[dict[str, object], ...] = (
            {"allowed_prefixes": AllowedPrefixes.parse(_NARROW)},
            {"allowed_prefixes": AllowedPrefixes.parse(_ALL)},
            {"max_queued": 0},
            {"max_queued": 1},
            {"max_queued": MAX_QUEUED},
            {"confirm_after": timedelta(seconds=180)},
            {"start_deadline": timedelta(hours=2)},
            {"start_deadline": timedelta(days=2)},
        )
        change = changes[self._choices.below(len(changes))]
        self._environment.change_settings(**change)
        return f"the operator sets {change}"

    def _transforms(self) -> str:
        """A transform is deleted, or Glue forgets a run."""
        if self._choices.below(4) == 1:
            transform = self._environment.glue.transforms[self._transform()]
            transform.label_count = 0
            return "all labels of a transform are removed"
        self._environment.forget_run(self._choices.below(8))
        return "Glue forgets a run"

    def _damage(self) -> str:
        """An item that nobody can read, in the index of open runs and in the stream, as a faulty script would leave it."""
        table = self._environment.table
        shard = next((item["openShard"] for item in table.items.values() if "openShard" in item), {"S": "0"})
        texts = {"id": _DAMAGED, "kind": "run", "openKey": "?", "requestedBy": ALICE, "transformId": TRANSFORMS[0]}
        texts["requestedKey"] = f"{self._environment.clock.now.isoformat(timespec='microseconds')}#{_DAMAGED}"
        table.put({name: {"S": text} for name, text in texts.items()} | {"openShard": shard}, _DAMAGED)
        return "somebody writes an item that cannot be read"

    def _transform(self) -> str:
        return TRANSFORMS[self._choices.below(len(TRANSFORMS))]
