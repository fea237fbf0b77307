"""The matching benchmark's page: means, peers that did not finish, and ratios to our own run."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.matching import page
from bench.matching.quality import measure
from bench.matching.results import OWN, Measurement, Quality, Scale, quality_table, scale_table


def test_a_tables_row_has_the_mean_of_its_seeds_and_says_why_a_peer_is_missing() -> None:
    results = [
        Quality("first", 1000, [{0: 0.5, 100: 1.0}, {0: 0.7, 100: 1.0}], {"splink-any": Measurement(1, 1, 1, 0.9)}),
        Quality("second", 10, [{0: 0.0, 100: 0.5}], {"splink-any": "stopped after 300 s"}),
    ]
    lines = quality_table(results).splitlines()
    assert lines[2] == "| first | 1,000 | 2 | 0.600 | 1.000 | 0.900 |"
    assert lines[3] == "| second | 10 | 1 | 0.000 | 0.500 | stopped after 300 s |"
    assert lines[4] == "| **mean** |  |  | **0.300** | **0.750** |  |"


def test_a_peers_figures_are_ratios_to_our_run_on_as_many_rows() -> None:
    ours, theirs = Measurement(2.0, 4.0, 0.5, 0.99), Measurement(3.0, 2.0, 1.0, 0.98)
    lines = scale_table([Scale(10, OWN, ours), Scale(10, "splink", theirs)]).splitlines()
    assert lines[3] == "| 10 | splink | 3.0 | 2.0 | 1.00 | 0.9800 | 1.50 | 0.50 | 2.00 |"


def test_the_page_gets_both_tables_and_a_picture(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("\n".join(["before", *page.QUALITY, "between", *page.SCALE, "after"]), encoding="utf-8")
    quality = [Quality("people", 10, [{0: 0.25}], {"splink-any": Measurement(1, 1, 1, 0.9)})]
    page.write(
        quality, [Scale(10, OWN, Measurement(1, 1, 1, 1))], datetime(2026, 1, 2, tzinfo=UTC), document, tmp_path / "p.png"
    )
    text = document.read_text(encoding="utf-8")
    assert "Measured on 2026-01-02." in text
    assert "| people | 10 | 1 | 0.250 | 0.900 |" in text
    assert text.startswith("before\n")
    assert text.endswith("after")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="make bench-matching: quality"):
        page.write([Quality("t", 1, [{0: 1.0}])], [], datetime.now(UTC), document, tmp_path / "p.png")


def test_one_table_is_measured_by_labels() -> None:
    result = measure("households:100", 1, [0, 100], [], 60)
    assert result.rows == 100
    assert result.f1(100) == 1.0
