"""What a function's memory buys and costs, and that the documented defaults are the template's."""

import re
from pathlib import Path

import pytest

from bench.function_memory import ONE_PROCESSOR_MB, SIZES_MB, Cost

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("megabytes", "milliseconds"),
    [(ONE_PROCESSOR_MB, 120), (ONE_PROCESSOR_MB // 2, 220.1), (2 * ONE_PROCESSOR_MB, 120)],
    ids=["a processor", "half of one", "two"],
)
def test_cpu_time_follows_the_share_of_a_processor_and_waiting_does_not(megabytes: int, milliseconds: float) -> None:
    assert Cost(cold=300, warm=100, calls=2).milliseconds(100, megabytes) == pytest.approx(milliseconds, abs=0.1)


def test_price_is_that_of_the_gigabyte_seconds_of_a_million_invocations() -> None:
    cost = Cost(cold=300, warm=90 * 1024 / ONE_PROCESSOR_MB, calls=1)
    assert cost.milliseconds(cost.warm, 1024) == pytest.approx(100)
    assert cost.dollars_per_million(1024) == pytest.approx(0.1 * 13.3334)


def test_the_bold_cell_of_each_function_is_the_default_of_its_parameter() -> None:
    template = (ROOT / "template.yaml").read_text()
    page = (ROOT / "docs" / "operating.md").read_text()
    rows = re.findall(r"^\| (api|bus|schedule|announce): [^|]+\|[^|]+\|(.+)\|$", page, flags=re.MULTILINE)
    assert len(rows) == 4
    for function, cells in rows:
        bold = [size for size, cell in zip(SIZES_MB, cells.split("|"), strict=True) if cell.strip().startswith("**")]
        defaults = re.findall(rf"^  {function.title()}Memory: .*Default: (\d+)", template, flags=re.MULTILINE)
        assert [str(size) for size in bold] == defaults
