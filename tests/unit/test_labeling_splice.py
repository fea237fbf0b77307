"""Labels are put into a labeling set's file without touching any other byte of the rows that stay."""

import csv
import io
import random

import pytest

from core.label_file_reader import UnreadableFile, read_rows
from core.labeling.answers import Answer
from core.labeling.csv_spans import UnreadableCsv, read_csv_spans
from core.labeling.labeling_set_file import LabelingSetFile, UnreadableLabelingSet
from core.labeling.labels import label_name, make_labels
from core.labeling.splice import splice_labels

CELLS = (
    *("", "a", "Ann", ' "quoted" ', "comma, in", "two\nlines", "cr\rlf\r\n", "back\\slash", "é ü", "=1+1", "0012", "'"),
    *("\\", '"', '\\"'),
)
FILES = 4_000


def random_file(chance: random.Random) -> bytes:
    """A labeling set in one of the dialects in which tools write CSV."""
    columns = chance.randint(1, 4)
    escaped = chance.random() < 0.5
    text = io.StringIO()
    writer = csv.writer(
        text,
        lineterminator=chance.choice(["\n", "\r\n"]),
        quoting=chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        doublequote=not escaped,
        escapechar="\\" if escaped else None,
    )
    writer.writerow(["labeling_set_id", "label", *(f"column {index}" for index in range(columns))])
    for index in range(chance.randint(0, 12)):
        writer.writerow([f"set {index // 4}", chance.choice(["", "", "old"]), *(chance.choice(CELLS) for _ in range(columns))])
        if chance.random() < 0.1:
            text.write("\n")
    body = text.getvalue().encode()
    return body.rstrip(b"\n\r") if chance.random() < 0.2 else body


def random_answers(chance: random.Random, rows: int) -> dict[int, Answer]:
    choices: list[Answer | None] = [1, 2, 3, "alone", "unsure", None]
    picked = {row: chance.choice(choices) for row in range(rows)}
    return {row: answer for row, answer in picked.items() if answer is not None}


def without_labels(body: bytes, rows: set[int] | None = None) -> bytes:
    """The file without the bytes of its labels, and without the rows that are not in `rows`."""
    header, *spans = read_csv_spans(body)
    parts, position = [], 0
    for index, row in enumerate(spans):
        assert row.label is not None
        parts.append(body[position : row.span.start])
        if rows is None or index in rows:
            parts += [body[row.span.start : row.label.start], body[row.label.end : row.span.end]]
        position = row.span.end
    assert header.span.start == 0
    return b"".join([*parts, body[position:]])


def test_all_bytes_but_the_labels_stay_in_4000_random_files() -> None:
    chance = random.Random(20261127)  # noqa: S311  no secret
    spliced_rows = 0
    for _ in range(FILES):
        body = random_file(chance)
        file = LabelingSetFile.parse(body)
        labels = make_labels(random_answers(chance, len(file.rows)), file).by_row
        spliced = splice_labels(file, labels)
        assert without_labels(spliced.body) == without_labels(body, set(labels))
        again = LabelingSetFile.parse(spliced.body)
        assert [row.cells[1] for row in again.spans] == [labels[row] for row in spliced.rows]
        if b"\\" not in body:  # the dialect may only show in a row that was left out
            assert again.rows == tuple(file.rows[row] for row in spliced.rows)
        spliced_rows += len(spliced.rows)
    assert spliced_rows > FILES


def test_cells_are_those_that_the_check_of_label_files_reads() -> None:
    chance = random.Random(7)  # noqa: S311  no secret
    for _ in range(500):
        body = random_file(chance)
        checked = [row for _, rows in read_rows([body]) for row in rows if row]
        assert [list(row.cells) for row in read_csv_spans(body)] == checked


@pytest.mark.parametrize("body", [b'a,"b', b'a,"b"c\n'])
def test_what_the_check_cannot_read_is_not_read_here(body: bytes) -> None:
    with pytest.raises(UnreadableFile):
        list(read_rows([body]))
    with pytest.raises(UnreadableCsv, match="line 1: a quote is not closed"):
        list(read_csv_spans(body))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "header must begin"),
        (b"id,name\n1,Ann\n", "header must begin"),
        (b"labeling_set_id,label,id\ns1,,1,2\n", "line 2: has 4 cells, the header has 3"),
        (b"labeling_set_id,label,id\ns1,,\xff\n", "line 2: is not UTF-8"),
    ],
)
def test_a_file_that_is_no_labeling_set_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(UnreadableLabelingSet, match=reason):
        LabelingSetFile.parse(body)


def test_labels_are_letters_by_the_first_row_of_each_group() -> None:
    file = LabelingSetFile.parse(b"labeling_set_id,label,id\n" + b"".join(b"s,,%d\n" % row for row in range(6)))
    labels = make_labels({0: 7, 1: "alone", 2: 7, 3: "unsure", 4: 3}, file)
    assert labels.by_row == {0: "A", 1: "B", 2: "A", 4: "C"}
    assert (labels.match_pairs, labels.non_match_pairs) == (1, 5)


def test_a_set_with_one_row_left_is_left_out_whole() -> None:
    file = LabelingSetFile.parse(b"labeling_set_id,label,id\ns1,,1\ns1,,2\ns2,,3\ns2,,4\n")
    labels = make_labels({0: 1, 1: "unsure", 2: 1, 3: 1}, file)
    assert labels.by_row == {2: "A", 3: "A"}
    assert splice_labels(file, labels.by_row).body == b"labeling_set_id,label,id\ns2,A,3\ns2,A,4\n"


def test_labels_go_on_after_z() -> None:
    assert [label_name(index) for index in (0, 25, 26, 49)] == ["A", "Z", "AA", "AX"]
