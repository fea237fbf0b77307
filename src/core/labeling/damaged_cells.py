"""Whether a cell may be another one that a spreadsheet has rewritten."""

import re
import unicodedata
from datetime import date

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")
_SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE]\+?\d+")
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00)?)?")
_DAY_OR_MONTH_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{2}|\d{4})")
_CENTURY = 100
_REPLACEMENT = "\ufffd"


def same_cell(ours: str, theirs: str) -> bool:
    """Whether `theirs` is `ours`, but for spaces, case, leading zeros, digits of a long number, date format, or encoding."""
    a, b = _folded(ours), _folded(theirs)
    return a == b or _same_number(a, b) or bool(_dates(a) & _dates(b)) or _same_but_unreadable(a, b)


def _folded(cell: str) -> str:
    return " ".join(unicodedata.normalize("NFC", cell).casefold().split())


def _same_number(a: str, b: str) -> bool:
    if not (_NUMBER.fullmatch(a) and _NUMBER.fullmatch(b)):
        return False
    x, y = (float(text.replace(",", ".")) for text in (a, b))
    if x == y:
        return True
    # A long number is shown with as many digits as its cell has room for: 1.23457E+11
    shown = next((text for text in (b, a) if _SCIENTIFIC.fullmatch(text)), None)
    if shown is None:
        return False
    digits = len(re.sub(r"[eE].*|\D", "", shown))
    return f"{x:.{digits - 1}e}" == f"{y:.{digits - 1}e}"


def _dates(cell: str) -> set[date]:
    """The days that the cell may mean."""
    if iso := _ISO_DATE.fullmatch(cell):
        return _valid((int(iso[1]), int(iso[2]), int(iso[3])))
    if match := _DAY_OR_MONTH_FIRST.fullmatch(cell):
        first, second, year = int(match[1]), int(match[2]), int(match[3])
        years = (year,) if year >= _CENTURY else (1900 + year, 2000 + year)
        return set().union(*(_valid((each, second, first)) | _valid((each, first, second)) for each in years))
    return set()


def _valid(day: tuple[int, int, int]) -> set[date]:
    try:
        return {date(*day)}
    except ValueError:
        return set()


def _same_but_unreadable(a: str, b: str) -> bool:
    """Characters that an encoding does not have are saved as question marks."""
    if len(a) != len(b) or not ({"?", _REPLACEMENT} & set(b)):
        return False
    return all(x == y or (y in ("?", _REPLACEMENT) and not x.isascii()) for x, y in zip(a, b, strict=True))
