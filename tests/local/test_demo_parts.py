"""What the demo is made of: reading a table, answering a labeling set, scoring, waiting."""

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console

from local.demo.charts import render_text, save_png
from local.demo.console import Reporter, StepFailed, check
from local.demo.event_listener import unique_events
from local.demo.labeler import label_from_truth, label_interactively
from local.demo.rounds import Score
from local.sample_table import InvalidTable, Records, load_febrl, read_csv

LABELING_SET = 'labeling_set_id,label,pk,name\ns1,,a,"O""Hara, Ann"\ns1,,b,Ann O\'Hara\ns1,,c,Bo\ns2,,d,Cy\ns2,,e,Di\n'
TRUTH = {"a": "1", "b": "1", "c": "2", "d": "3", "e": "4"}


def labels(answers: str) -> list[tuple[str, str]]:
    return [(row["pk"], row["label"]) for row in csv.DictReader(io.StringIO(answers))]


def test_truth_gives_rows_of_the_same_thing_the_same_label_within_a_set() -> None:
    answers = label_from_truth(LABELING_SET, "pk", TRUTH)
    assert labels(answers) == [("a", "1"), ("b", "1"), ("c", "2"), ("d", "1"), ("e", "2")]


def test_answers_change_nothing_but_the_labels() -> None:
    rows = [{**row, "label": ""} for row in csv.DictReader(io.StringIO(label_from_truth(LABELING_SET, "pk", TRUTH)))]
    assert rows == list(csv.DictReader(io.StringIO(LABELING_SET)))


def test_a_person_groups_rows_by_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter(["1 9", "1 2, 2", "1 x", "1 2", ""])
    monkeypatch.setattr("builtins.input", lambda *_: next(said))
    console = Console(file=io.StringIO(), width=100)
    answers = label_interactively(LABELING_SET, console)
    assert labels(answers) == [("a", "same-1"), ("b", "same-1"), ("c", "only-3"), ("d", "only-1"), ("e", "only-2")]
    complaints = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    assert "'9' is no row" in complaints
    assert "row 2 stands in two groups" in complaints
    assert "'x' is no row" in complaints


def test_febrl_has_its_true_pairs_and_keys_that_tell_nothing() -> None:
    records = load_febrl()
    assert (len(records.rows), records.true_pairs) == (1000, 500)
    assert not [row for row in records.rows if "rec-" in str(row)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no rows"),
        ("a,b\n1,2\n", "no column 'pk'"),
        ("pk,b\n1,2\n1,3\n", "must name each row once"),
        ("pk,b\n,2\n", "must name each row once"),
        ("pk,b\n1,2,3\n", "more or fewer fields"),
        ("pk,b\n1\n", "more or fewer fields"),
        ('pk,b\n1,"2\n', "cannot be read as CSV"),
    ],
)
def test_a_file_that_cannot_be_matched_is_refused_with_its_reason(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InvalidTable, match=complaint):
        read_csv(path, "pk", None)


def test_a_file_with_a_byte_order_mark_and_its_truth_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbfpk,name,who\n1,Ann,x\n2,,x\n")
    records = read_csv(path, "pk", "who")
    assert records == Records(
        ("pk", "name"), [{"pk": "1", "name": "Ann"}, {"pk": "2", "name": None}], "pk", {"1": "x", "2": "x"}
    )
    assert records.true_pairs == 1


def test_a_repeated_event_counts_once() -> None:
    first, second = ({"detail": {"metadata": {"eventId": name}}} for name in "ab")
    assert unique_events([first, second, first]) == [first, second]


def test_waiting_ends_with_what_was_expected() -> None:
    show = Reporter(Console(file=io.StringIO()))
    with pytest.raises(StepFailed, match="the moon: did not happen within 0 s"):
        show.wait_for("the moon", lambda: None, within_seconds=0.1)
    assert show.wait_for("the sun", lambda: "up") == "up"


def test_a_check_says_what_was_expected_and_what_came() -> None:
    check(holds := True, "nothing", holds)
    with pytest.raises(StepFailed, match="expected 202, but got 500"):
        check(False, "202", 500)  # noqa: FBT003 - what is checked


def test_the_picture_has_a_curve_for_what_is_known(tmp_path: Path) -> None:
    scores = [Score(100, 0.9, 0.95), Score(200, 0.97, 0.99)]
    save_png(scores, tmp_path / "f1.png")
    assert (tmp_path / "f1.png").stat().st_size > 10_000
    assert "whole table" in render_text(scores, 80)
    assert "whole table" not in render_text([Score(100, 0.9, None)], 80)
