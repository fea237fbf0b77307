"""The parts of the demo: reading a table, labeling a labeling set, charts, waiting."""

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


def labels_by_key(label_file: str) -> list[tuple[str, str]]:
    return [(row["pk"], row["label"]) for row in csv.DictReader(io.StringIO(label_file))]


def test_rows_of_one_entity_get_the_same_label_within_a_set() -> None:
    label_file = label_from_truth(LABELING_SET, "pk", TRUTH)
    assert labels_by_key(label_file) == [("a", "1"), ("b", "1"), ("c", "2"), ("d", "1"), ("e", "2")]


def test_labeling_changes_only_the_label_column() -> None:
    rows = [{**row, "label": ""} for row in csv.DictReader(io.StringIO(label_from_truth(LABELING_SET, "pk", TRUTH)))]
    assert rows == list(csv.DictReader(io.StringIO(LABELING_SET)))


def test_a_person_labels_by_entering_row_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = iter(["1 9", "1 2, 2", "1 x", "1 2", ""])
    monkeypatch.setattr("builtins.input", lambda *_: next(inputs))
    console = Console(file=io.StringIO(), width=100)
    label_file = label_interactively(LABELING_SET, console)
    assert labels_by_key(label_file) == [("a", "same-1"), ("b", "same-1"), ("c", "only-3"), ("d", "only-1"), ("e", "only-2")]
    output = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    assert "'9' is not a row number" in output
    assert "row 2 is in two groups" in output
    assert "'x' is not a row number" in output


def test_febrl_has_its_true_pairs_and_keys_that_do_not_reveal_them() -> None:
    records = load_febrl()
    assert (len(records.rows), records.true_pairs) == (1000, 500)
    assert not [row for row in records.rows if "rec-" in str(row)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no rows"),
        ("a,b\n1,2\n", "no column 'pk'"),
        ("pk,b\n1,2\n1,3\n", "must be unique and never empty"),
        ("pk,b\n,2\n", "must be unique and never empty"),
        ("pk,b\n1,2,3\n", "more or fewer fields"),
        ("pk,b\n1\n", "more or fewer fields"),
        ('pk,b\n1,"2\n', "cannot be read as CSV"),
    ],
)
def test_a_file_that_cannot_be_matched_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InvalidTable, match=reason):
        read_csv(path, "pk", None)


def test_byte_order_mark_is_ignored_and_truth_column_left_out(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbfpk,name,who\n1,Ann,x\n2,,x\n")
    records = read_csv(path, "pk", "who")
    assert records == Records(
        ("pk", "name"), [{"pk": "1", "name": "Ann"}, {"pk": "2", "name": None}], "pk", {"1": "x", "2": "x"}
    )
    assert records.true_pairs == 1


def test_a_repeated_event_is_counted_once() -> None:
    first, second = ({"detail": {"metadata": {"eventId": event_id}}} for event_id in "ab")
    assert unique_events([first, second, first]) == [first, second]


def test_waiting_returns_the_result_or_fails_after_the_timeout() -> None:
    reporter = Reporter(Console(file=io.StringIO()))
    with pytest.raises(StepFailed, match="the run ends: did not happen within 0 s"):
        reporter.wait_for("the run ends", lambda: None, timeout_seconds=0.1)
    assert reporter.wait_for("the run ends", lambda: "SUCCEEDED") == "SUCCEEDED"


def test_a_failed_check_names_the_expected_and_the_actual_result() -> None:
    check(condition := True, "nothing", condition)
    with pytest.raises(StepFailed, match="expected 202, but got 500"):
        check(False, "202", 500)  # noqa: FBT003 - the condition


def test_chart_shows_whole_table_only_if_the_truth_is_known(tmp_path: Path) -> None:
    scores = [Score(100, 0.9, 0.95), Score(200, 0.97, 0.99)]
    save_png(scores, tmp_path / "f1.png")
    assert (tmp_path / "f1.png").stat().st_size > 10_000
    assert "whole table" in render_text(scores, 80)
    assert "whole table" not in render_text([Score(100, 0.9, None)], 80)
