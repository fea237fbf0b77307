"""What kind of values a column holds (text, numbers, dates), judged from the values alone."""

import re
from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

# Most values have to be of a kind for the column to be; the rest are that column's dirt.
_SHARE = 0.8
_NUMBER = re.compile(r"^[^\w.+-]*([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[+-]?\.\d+)\s*[^\w.]*$")
_YEAR_FIRST = re.compile(r"^(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})(?:[T ].*)?$")
_YEAR_LAST = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$")
_MONTHS = 12


def as_numbers(values: Sequence[str]) -> Numbers:
    """Each value as a number, NaN where it is none."""
    return np.array([_number(value) for value in values], np.float64)


def as_days(values: Sequence[str]) -> Numbers:
    """Each value as days since year 1, NaN where it is no date."""
    return np.array([_days(value) for value in values], np.float64)


def prevail(numbers: Numbers) -> bool:
    """Whether so many values are of the kind that the column is."""
    return bool(len(numbers)) and bool(np.isfinite(numbers).mean() >= _SHARE)


def _number(value: str) -> float:
    found = _NUMBER.match(value.strip()[:40])
    return float(found[1].replace(",", "")) if found else np.nan


def _days(value: str) -> float:
    text = value.strip()[:40]
    if found := _YEAR_FIRST.match(text):
        year, month, day = int(found[1]), int(found[2]), int(found[3])
    elif found := _YEAR_LAST.match(text):
        day, month, year = int(found[1]), int(found[2]), int(found[3])
        if month > _MONTHS:  # month first, as in the United States
            day, month = month, day
    else:
        return np.nan
    try:
        return float(date(year, month, day).toordinal())
    except ValueError:
        return np.nan
