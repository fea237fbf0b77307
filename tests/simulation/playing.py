"""Play one schedule."""

from collections.abc import Callable, Sequence
from unittest.mock import patch

from handlers import metrics
from tests.simulation.choices import Choices
from tests.simulation.schedule import Result, Schedule


def unchanged(_schedule: Schedule) -> None:
    """Leave the world as it is."""


def play(source: int | Sequence[int], *, traces: bool = False, change: Callable[[Schedule], None] = unchanged) -> Result:
    """Play the schedule of a seed, or of recorded choices. `change` may break the world on purpose, before it begins."""
    schedule = Schedule(Choices(source), traces=traces)
    change(schedule)
    with patch.object(metrics, "_emit", new=_emit_nothing):
        return schedule.run()


def _emit_nothing(*_values: object, **_dimensions: str) -> None:
    """Metrics are printed, which takes time and hides the trace."""
