"""What a transform's owner may tune."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Glue's FindMatchesParameters.

    `precision_recall` (PrecisionRecallTradeoff): 0..1, 1 favors precision, None is balanced. `accuracy_cost`
    (AccuracyCostTradeoff): 0..1, 1 searches more candidate pairs. `enforce_labels` (EnforceProvidedLabels): the
    output agrees with the labels, whatever the model thinks. `seed`: the same seed gives the same answer.
    """

    precision_recall: float | None = None
    accuracy_cost: float | None = None
    enforce_labels: bool = False
    seed: int = 0

    @property
    def neighbors_per_row(self) -> int:
        """5 at cost 0, 10 balanced, 20 at accuracy 1."""
        return int(5 * math.pow(4, self._accuracy))

    @property
    def terms_per_row(self) -> int:
        """How many shared terms may be looked at per row to find its neighbors."""
        return int(1000 * math.pow(9, self._accuracy))

    @property
    def beta(self) -> float:
        """The F-beta to maximize: 4 at recall, 1 balanced, 1/4 at precision."""
        return math.pow(4, 1 - 2 * (0.5 if self.precision_recall is None else self.precision_recall))

    @property
    def least_chance(self) -> float:
        """From which probability a single pair is worth calling a match: 0.5 balanced, 0.8 at precision."""
        return 1 / (1 + self.beta)

    @property
    def _accuracy(self) -> float:
        return 0.5 if self.accuracy_cost is None else self.accuracy_cost
