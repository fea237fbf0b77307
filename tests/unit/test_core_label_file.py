"""A label file is validated before its import starts, and the version that was checked is imported."""

import tracemalloc
from collections.abc import Iterator

import pytest

from core.errors import TryAgainLater
from core.label_file import MAX_BYTES, validate_label_file
from core.runs import Status
from tests.fakes.files import GOOD
from tests.fakes.service import UPLOADED, Service, import_command, labeling_command

HEADER = b"labeling_set_id,label,id,name\n"
COLUMNS = ("id", "name")


def problems(body: bytes, columns: tuple[str, ...] = COLUMNS) -> list[str]:
    return validate_label_file([body[:7], body[7:]], columns)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", ["line 1: the header must begin with labeling_set_id,label"]),
        (b"id,name\n1,Ann\n", ["line 1: the header must begin with labeling_set_id,label"]),
        (b"\xef\xbb\xbf" + GOOD, ["line 1: begins with a byte order mark; save the file as UTF-8 without one"]),
        (
            HEADER.replace(b"name", b"nam"),
            ["line 1: the transform has no column 'nam'", "line 1: the transform's column 'name' is missing"],
        ),
        (HEADER.replace(b"\n", b",name\n"), ["line 1: the column 'name' appears more than once"]),
        (HEADER, ["line 2: there are no labeled rows"]),
        (HEADER + b"a,1,1,x\na,,2,y\n", ["line 3: label is blank; give a row that matches no other a label of its own"]),
        (HEADER + b"a,1,1,x\na,1,2,y\n,1,3,z\n", ["line 4: labeling_set_id is blank"]),
        (
            HEADER + b"a,1,1,x\na,1,2\n",
            ["line 2: the labeling set 'a' has 1 rows; 2 to 50 are allowed", "line 3: has 3 cells, the header has 4"],
        ),
        (HEADER + b'a,1,1,"two\nlines"\na,1,2,y\nb,1,3,z\n', ["line 5: the labeling set 'b' has 1 rows; 2 to 50 are allowed"]),
        (
            HEADER + b"".join(b"a,1,%d,x\n" % n for n in range(51)),
            ["line 2: the labeling set 'a' has 51 rows; 2 to 50 are allowed"],
        ),
        (HEADER + b"a,1,1,caf\xe9\n", ["line 2: is not UTF-8; save the file as UTF-8"]),
    ],
)
def test_problem_names_the_line_and_the_remedy(body: bytes, expected: list[str]) -> None:
    assert problems(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        HEADER + b"".join(b"a,1,%d,x\n" % n for n in range(50)),
        "labeling_set_id,label,id,name\nä,ü,1,日本\nä,ü,2,\n".encode(),
        b"labeling_set_id,label,name,id\na,1,x,1\na,2,y,2\n",
    ],
)
def test_valid_file_has_no_problems(body: bytes) -> None:
    assert problems(body) == []


def test_columns_are_not_checked_if_glue_does_not_return_them() -> None:
    assert problems(b"labeling_set_id,label,x\na,1,1\na,1,2\n", ()) == []


def test_first_twenty_problems_are_shown_and_the_others_counted() -> None:
    shown = problems(HEADER + b"".join(b"a,,%d,x\n" % n for n in range(30)))
    assert len(shown) == 21
    assert shown[-1] == "and 10 more"
    assert shown[0].startswith("line 2:")


def test_large_file_is_validated_in_little_memory() -> None:
    def chunks() -> Iterator[bytes]:
        yield HEADER
        for number in range(9_000):
            yield b"set%d,1,1,%s\nset%d,1,2,y\n" % (number, b"x" * 1000, number)

    tracemalloc.start()
    assert validate_label_file(chunks(), COLUMNS) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000 < 9_000 * 1_000


# --- as part of a start


@pytest.mark.parametrize("body", [None, b"", b"no label file\n", b"x" * (MAX_BYTES + 1)])
def test_invalid_file_is_refused_and_nothing_is_started(body: bytes | None) -> None:
    service = Service()
    service.files.contents[UPLOADED] = body
    run = service.start_run(import_command())
    assert (run.status, run.error and run.error.code) == (Status.REFUSED, "INVALID_LABEL_FILE")
    assert service.glue.calls == []


def test_invalid_file_is_refused_even_if_its_import_would_be_queued() -> None:
    service = Service()
    service.start_run(import_command("open", path="s3://bucket/other.csv"))
    service.files.contents[UPLOADED] = b"no label file\n"
    assert service.start_run(import_command()).status is Status.REFUSED


def test_quotes_escaped_with_a_backslash_are_accepted() -> None:
    service = Service()
    service.files.contents[UPLOADED] = HEADER + b'a,1,1,"a \\"b\\", c"\na,1,2,y\n'
    assert service.start_run(import_command()).status is Status.STARTING


def test_file_changed_while_its_import_was_queued_is_refused() -> None:
    service = Service()
    first = service.start_run(import_command("first", path="s3://bucket/first.csv"))
    waiting = service.start_run(import_command("second"))
    service.files.contents[UPLOADED] = GOOD + b"b,1,1,x\nb,2,2,y\n"
    service.glue.finish_all()
    service.reconcile()
    service.reconcile()
    ended = service.reload(waiting)
    assert (ended.status, ended.error and ended.error.code) == (Status.REFUSED, "LABEL_FILE_CHANGED")
    assert [task_run.task_run_id for task_run in service.glue.all_task_runs()] == [service.reload(first).task_run_id]


def test_same_key_starts_the_import_once_the_file_is_corrected() -> None:
    service = Service()
    service.files.contents[UPLOADED] = b"no label file\n"
    assert service.start_run(import_command()).status is Status.REFUSED
    service.files.contents[UPLOADED] = GOOD
    again = service.start_run(import_command())
    assert (again.status, again.attempt) == (Status.STARTING, 2)


def test_nothing_is_accepted_while_s3_is_unavailable() -> None:
    service = Service()
    service.files.is_down = True
    with pytest.raises(TryAgainLater):
        service.start(import_command())
    assert service.ledger.items == {}
    service.files.is_down = False
    assert service.start_run(import_command()).status is Status.STARTING


def test_labeling_set_starts_without_s3() -> None:
    service = Service()
    service.files.is_down = True
    assert service.start_run(labeling_command()).status is Status.STARTING
