"""What a person may answer about a row: a closed vocabulary, so that no text from a browser reaches a label file."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from core.errors import FieldError, InvalidRequest

Answer = int | Literal["alone", "unsure"]
Answers = Mapping[int, Answer]
"""Index of a row in the labeling set's file, from 0 -> its answer. A row without one is open."""

ALONE: Literal["alone"] = "alone"
UNSURE: Literal["unsure"] = "unsure"
MAX_GROUP = 50
_MAX_ERRORS = 20


class AnswerCounts(NamedTuple):
    """How many rows have an answer, `unsure` included, and how many of these are unsure."""

    answered: int
    unsure: int


def count_answers(answers: Answers) -> AnswerCounts:
    return AnswerCounts(len(answers), sum(answer == UNSURE for answer in answers.values()))


def parse_answers(raw: Mapping[str, object], row_count: int) -> dict[int, Answer]:
    """The answers of a request's JSON. Raises InvalidRequest, which names up to 20 rows."""
    errors = [error for row, answer in raw.items() if (error := _error(row, answer, row_count)) is not None]
    if errors:
        raise InvalidRequest(*errors[:_MAX_ERRORS])
    return {int(row): _answer(answer) for row, answer in raw.items()}


def _answer(raw: object) -> Answer:
    match raw:
        case "alone" | "unsure":
            return raw
        case int():
            return raw
        case _:
            raise ValueError(raw)


def _error(row: str, answer: object, row_count: int) -> FieldError | None:
    pointer = f"#/answers/{row[:20].replace('~', '~0').replace('/', '~1')}"
    is_index = row.isascii() and row.isdecimal() and str(int(row[:9])) == row
    if not is_index or int(row) >= row_count:
        return FieldError(pointer, f"is no row: rows count from 0 to {row_count - 1}")
    is_group = isinstance(answer, int) and not isinstance(answer, bool) and 1 <= answer <= MAX_GROUP
    if not is_group and answer not in (ALONE, UNSURE):
        return FieldError(pointer, f'must be a group from 1 to {MAX_GROUP}, "{ALONE}" or "{UNSURE}"')
    return None
