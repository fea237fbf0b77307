"""The cost of a file is linear, no file of 10 MB needs much memory, and no bytes raise anything."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.label_file import MAX_BYTES, validate_label_file

HEADER = b"labeling_set_id,label,id\n"
BLOCK = 64 * 1024
MAX_CPU_RATIO = 3.2  # of twice the bytes; were the check quadratic, it would be 4
TOO_SHORT_TO_COMPARE_SECONDS = 0.5
MAX_MEMORY_MB = 64
# Rows as short as valid ones can be, 1.3 million of them, in labeling sets of 50.
MANY_VALID_ROWS = """
import itertools, resource
from core.label_file import validate_label_file
letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
def chunks():
    yield b"labeling_set_id,label,id\\n"
    for name in itertools.islice(itertools.product(letters, repeat=3), 10 * 1024 * 1024 // 400):
        yield "".join(f"{''.join(name)},a,{key}\\n" for key in letters[:50]).encode()
list(chunks().__next__())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
problems = validate_label_file(chunks(), ("id",), "id")
print(len(problems), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def in_blocks(body: bytes) -> Iterator[bytes]:
    return (body[start : start + BLOCK] for start in range(0, len(body), BLOCK))


def repeated(unit: bytes, beginning: bytes = HEADER) -> bytes:
    return (beginning + unit * (MAX_BYTES // len(unit) + 1))[:MAX_BYTES]


EXPENSIVE = {
    "one cell per row": (repeated(b"a\n"), "line 2: has 1 cells, the header has 3"),
    "empty lines": (repeated(b"\n"), "there are no labeled rows"),
    "one row again and again": (repeated(b"a,b,c\n"), "line 2: the labeling set 'a' has 1 row"),
    "two rows by turns": (repeated(b"a,b,c\na,d,c\n"), "line 2: the labeling set 'a' has 1 row"),
    "sets of one row": (HEADER + b"".join(b"%d,a,b\n" % n for n in range(900_000)), "line 2: the labeling set '0' has 1 row"),
    "rows without a label": (repeated(b"a,,b\n"), "line 2: the labeling set 'a' has 1 row"),
    "a header of five million cells": (repeated(b"c,", b"labeling_set_id,label,"), "line 1: the row has more than 1,048,576"),
    "a header of 100 kB": (b"labeling_set_id,label," + b"c," * 50_000 + b"\n", "line 1: the header has 50001 columns"),
    "a cell of 10 MB": (repeated(b"x", HEADER + b'a,b,"'), "line 2: the row has more than 1,048,576 characters"),
    "an open quote before many lines": (repeated(b"x\n", HEADER + b'a,b,"'), "line 2: the row has more than 1,048,576"),
    "rows of many lines": (repeated(b'a,b,"' + b"x\n" * 400_000 + b'"\n'), "a quote that opens in this row is never closed"),
    "quotes": (repeated(b'"'), "line 2: the row has more than 1,048,576 characters"),
    "backslashes and quotes": (repeated(b'ab,a,"\\"x"\n')[:-8] + b'a,a,"x"y\n', "text follows a closing quote"),
    "characters of four bytes": (repeated("😀".encode()), "line 2: the row has more than 1,048,576 characters"),
    "no text": (bytes(range(256)) * (MAX_BYTES // 256), "line 1: the header must begin with labeling_set_id,label"),
}


@pytest.mark.parametrize("case", EXPENSIVE)
def test_cost_of_ten_megabytes_of_anything_is_linear(case: str) -> None:
    body, expected = EXPENSIVE[case]
    seconds_of_half, _ = _checked(body[: len(body) // 2])
    seconds, problems = _checked(body)
    assert seconds < max(MAX_CPU_RATIO * seconds_of_half, TOO_SHORT_TO_COMPARE_SECONDS)
    assert any(expected in problem for problem in problems)
    assert len(problems) <= 21


def _checked(body: bytes) -> tuple[float, list[str]]:
    """The CPU seconds of the check, and what it found."""
    start = time.process_time()
    problems = validate_label_file(in_blocks(body), ("id",), "id")
    return time.process_time() - start, problems


def test_a_valid_file_of_a_million_rows_takes_seconds_and_little_memory() -> None:
    command = [sys.executable, "-c", MANY_VALID_ROWS]
    start = time.monotonic()
    process = subprocess.run(  # noqa: S603 - our own code, so that its memory is measured alone
        command, env={"PYTHONPATH": str(Path("src").absolute())}, capture_output=True, text=True, check=True, timeout=120
    )
    problems, megabytes = process.stdout.split()
    assert problems == "0"
    assert float(megabytes) < MAX_MEMORY_MB
    assert time.monotonic() - start < 60


TEXT = st.text(st.sampled_from(list('ab,"\\\n\r\t ;é😀\ufeff\x00')) | st.characters(), max_size=60)
BYTES = st.binary(max_size=80) | TEXT.map(lambda text: text.encode("utf-8", "surrogatepass"))


@given(st.sampled_from([b"", HEADER, HEADER[:-1], b"\xef\xbb\xbf"]), BYTES, st.integers(1, 7))
@example(HEADER, b'a,b,"\\"', 1)
def test_no_bytes_raise_and_their_chunks_do_not_matter(beginning: bytes, rest: bytes, size: int) -> None:
    body = beginning + rest
    problems = validate_label_file([body], ("id",), "id")
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    assert validate_label_file(chunks, ("id",), "id") == problems
    assert all(problem.startswith(("line ", "and ")) for problem in problems)
