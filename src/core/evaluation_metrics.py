"""What an evaluation found out about a transform, in Glue's terms. A value that Glue does not return is None."""

from typing import NamedTuple

MAX_COLUMN_IMPORTANCES = 100  # ColumnImportanceList in botocore's Glue model; a table has at most 100 columns


class ConfusionMatrix(NamedTuple):
    """How many pairs of rows match or not, by prediction and by label."""

    true_positives: int | None
    false_positives: int | None
    true_negatives: int | None
    false_negatives: int | None


class ColumnImportance(NamedTuple):
    """How much a column contributes to the predictions, from 0 to 1."""

    column_name: str
    importance: float


class EvaluationMetrics(NamedTuple):
    """The quality of a transform on labels that it did not learn from. The first four are from 0 to 1.

    `column_importances` begin with the most important column.
    """

    area_under_pr_curve: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    confusion_matrix: ConfusionMatrix | None
    column_importances: tuple[ColumnImportance, ...]
