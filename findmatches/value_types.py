"""Whether a column holds text, numbers or dates, judged from its values alone."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

# The share of values that must parse for the column to have the type; the rest are dirty values.
_MIN_SHARE = 0.8
_MAX_PARSED_CHARACTERS = 40
_NUMBER = re.compile(r"^[^\w.+-]*([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[+-]?\.\d+)\s*[^\w.]*$")
_YEAR_FIRST = re.compile(r"^(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})(?:[T ].*)?$")
_YEAR_LAST = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$")
_MONTHS = 12

Holds = Literal["text", "numbers", "dates"]


def as_numbers(values: Sequence[str]) -> Numbers:
    """Each value as a number, NaN where it is none."""
    # Most numbers are digits alone, which need no closer look.
    numbers = (
        float(value) if value.isdigit() and value.isascii() and len(value) < _MAX_PARSED_CHARACTERS else _number(value)
        for value in values
    )
    return np.fromiter(numbers, np.float64, len(values))


def as_days(values: Sequence[str]) -> Numbers:
    """Each value as days since year 1, NaN where it is no date."""
    return np.array([_days(value) for value in values], np.float64)


def inferred_type(values: Sequence[str]) -> Holds:
    """What enough of these values are, none of which is blank."""
    if _is_type(as_days(values)):
        return "dates"
    return "numbers" if _is_type(as_numbers(values)) else "text"


def _is_type(parsed: Numbers) -> bool:
    return bool(len(parsed)) and bool(np.isfinite(parsed).mean() >= _MIN_SHARE)


def _number(value: str) -> float:
    match = _NUMBER.match(value.strip()[:_MAX_PARSED_CHARACTERS])
    return float(match[1].replace(",", "")) if match else np.nan


def _days(value: str) -> float:
    text = value.strip()[:_MAX_PARSED_CHARACTERS]
    if match := _YEAR_FIRST.match(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    elif match := _YEAR_LAST.match(text):
        day, month, year = int(match[1]), int(match[2]), int(match[3])
        if month > _MONTHS:  # month first, as in the United States
            day, month = month, day
    else:
        return np.nan
    try:
        return float(date(year, month, day).toordinal())
    except ValueError:
        return np.nan
