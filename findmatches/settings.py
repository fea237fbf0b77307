"""The tuning parameters of a matching."""

import math
from dataclasses import dataclass

# Labeled tables of at most a quarter of so many rows get four times the neighbors.
_ROWS_OF_FACTOR_1 = 8_000
_MAX_FACTOR = 4.0


@dataclass(frozen=True)
class Settings:
    """Glue's FindMatchesParameters.

    `precision_recall` (PrecisionRecallTradeoff): 0..1, 1 favors precision, None is balanced.
    `accuracy_cost` (AccuracyCostTradeoff): 0..1, 1 compares more candidate pairs, None is balanced.
    `enforce_labels` (EnforceProvidedLabels): the output agrees with the labels, even where the model does not.
    `seed`: the same seed and input give the same output.
    """

    precision_recall: float | None = None
    accuracy_cost: float | None = None
    enforce_labels: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError if a tradeoff is not between 0 and 1."""
        for name in ("precision_recall", "accuracy_cost"):
            value: object = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise ValueError(f"{name} must be a number between 0 and 1, or None for the balance.")

    def neighbors_per_row(self, rows: int, *, has_labels: bool) -> int:
        """Candidate pairs per row: 5 at cost 0, 10 balanced, 20 at accuracy 1; with labels up to four times as many.

        Small tables can afford more, and find more of the matches in large groups. Without labels more candidates are only more
        pairs to be wrong about.
        """
        factor = min(_MAX_FACTOR, max(1.0, _ROWS_OF_FACTOR_1 / max(rows, 1))) if has_labels else 1.0
        return int(factor * 5 * math.pow(4, self._accuracy))

    @property
    def terms_per_row(self) -> int:
        """How many occurrences of shared terms blocking may visit per row."""
        return int(1000 * math.pow(9, self._accuracy))

    @property
    def beta(self) -> float:
        """The beta of the F-measure to maximize: 4 at recall, 1 balanced, 1/4 at precision."""
        return math.pow(4, 1 - 2 * (0.5 if self.precision_recall is None else self.precision_recall))

    @property
    def min_match_probability(self) -> float:
        """From which probability on a single pair counts as a match: 0.2 at recall, 0.5 balanced, 0.8 at precision."""
        return 1 / (1 + self.beta)

    @property
    def _accuracy(self) -> float:
        return 0.5 if self.accuracy_cost is None else self.accuracy_cost
