"""The exchange over processes: the same result, nothing left behind, a failure that says where."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from findmatches import Settings, find_matches
from findmatches.blocks.block import Blocks, Facts, Sent, Stage, pack_texts, unpack_texts
from findmatches.blocks.processes import ProcessExchange, StageFailed
from findmatches.runtime import Runtime
from tests.findmatches.synthetic_people import LabeledTable


def test_ids_are_those_of_one_part_and_no_file_is_left(people: LabeledTable, tmp_path: Path) -> None:
    labels = people.labeled(runs=1)
    expected = find_matches(people.table, labels, Settings())
    runtime = Runtime(parts=3, workers=2, processes=True, folder=tmp_path)
    assert find_matches(people.table, labels, Settings(), runtime=runtime) == expected
    assert not list(tmp_path.iterdir())


def double(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    for block in blocks["numbers"]:
        yield (part + 1) % facts["parts"], "doubled", {"number": block["number"] * facts["factor"]}


def fail(_: int, __: Blocks, ___: Facts) -> Iterable[Sent]:
    raise ValueError("no such luck")


def test_blocks_move_between_parts_and_consumed_ones_go(tmp_path: Path) -> None:
    with ProcessExchange(2, 2, folder=tmp_path) as exchange:
        exchange.publish(factor=np.int64(2))
        exchange.send((part, "numbers", {"number": np.array([part])}) for part in (0, 1))
        exchange.run(Stage("double", double, consumes=("numbers",)))
        exchange.rename("doubled", "numbers")
        exchange.publish(factor=np.int64(10))
        exchange.run(Stage("double", double, reads=("numbers",)))
        exchange.send([(-1, "doubled", {"number": np.array([7])})])
        assert [block["number"].tolist() for block in exchange.received("doubled")] == [[7]]
        exchange.drop("numbers", "doubled")
        assert not list(tmp_path.glob("*/*.blocks"))


def test_a_failing_stage_names_itself_its_part_and_the_cause() -> None:
    with ProcessExchange(1, 1) as exchange, pytest.raises(StageFailed, match=r"(?s)break, part 0: .*no such luck"):
        exchange.run(Stage("break", fail))


@pytest.mark.parametrize("texts", [[], [""], ["", "a"], ["a\x1fb", "\ud800", "日本"], ["\x1f"]])
def test_packed_texts_come_back(texts: list[str]) -> None:
    assert unpack_texts("text", pack_texts("text", texts)) == texts
