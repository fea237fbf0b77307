"""The same ids in any number of parts, whatever the order in which blocks arrive."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from findmatches import Label, Settings, Table, evaluate, find_matches, propose_labeling_sets, scoring
from findmatches.runtime import Runtime
from findmatches.stages import comparison
from tests.findmatches.exchanges import Shuffled
from tests.findmatches.synthetic_people import LabeledTable, synthetic_people


@pytest.fixture(params=["all pairs compared", "after a first cut"])
def _first_cut(request: pytest.FixtureRequest) -> Iterator[None]:
    """Large tables compare only the pairs that a first cut keeps; here small ones do, too."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "after a first cut":
            patch.setattr(scoring, "_MAX_COMPARED_PAIRS", 0)
            patch.setattr(scoring, "_SAMPLED_PAIRS", 150)
            patch.setattr(comparison, "_BLOCK_PAIRS", 20)
        yield


CELLS = st.sampled_from(
    [None, "", "n/a", "12", "-12", "1,299.00", "2001-02-03", "straße 5", "Straße 5", "क्ष", "x" * 3000, "a\x1fb"]
)


@pytest.mark.usefixtures("_first_cut")
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_ids_do_not_depend_on_the_parts(data: st.DataObject) -> None:
    people = synthetic_people(data.draw(st.integers(5, 40)), seed=data.draw(st.integers(0, 99)))
    table = _with_twins_and_blank_rows(people, data)
    rows = len(table)
    labeled = data.draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, rows - 1)), max_size=30))
    labels = [Label(f"set {number}", f"label {label}", str(table.keys[row])) for number, label, row in labeled]
    known = data.draw(st.none() | st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=rows, max_size=rows))
    chosen = Settings(enforce_labels=data.draw(st.booleans()))
    ids = [
        find_matches(table, labels, chosen, known=known, runtime=runtime)
        for runtime in (Runtime(), Shuffled(parts=3), Shuffled(parts=8))
    ]
    assert ids[1] == ids[0]
    assert ids[2] == ids[0]


@pytest.mark.usefixtures("_first_cut")
def test_labeling_sets_and_evaluations_do_not_depend_on_the_parts(people: LabeledTable) -> None:
    labels = people.labeled(runs=2)
    runtimes = Runtime(), Shuffled(parts=3), Runtime(parts=8, workers=2)
    sets = [propose_labeling_sets(people.table, labels, Settings(), runtime=runtime) for runtime in runtimes]
    assert sets[1] == sets[2] == sets[0]
    evaluations = [evaluate(people.table, labels, Settings(), runtime=runtime) for runtime in runtimes]
    assert evaluations[1] == evaluations[2] == evaluations[0]


def test_progress_names_each_stage_and_its_parts(people: LabeledTable) -> None:
    seen: list[tuple[str, int, int]] = []
    runtime = Runtime(parts=3, progress=lambda stage, done, total: seen.append((stage, done, total)))
    find_matches(people.table, people.labeled(runs=1), Settings(), runtime=runtime)
    assert [done for stage, done, _ in seen if stage == "search pairs"] == [1, 2, 3]
    assert {total for _, _, total in seen} == {3}
    assert [stage for stage, _, _ in seen].index("read rows") < [stage for stage, _, _ in seen].index("score pairs again")


def _with_twins_and_blank_rows(people: LabeledTable, data: st.DataObject) -> Table:
    """The people, some of them twice, some blank rows, and a column of all kinds of cells."""
    table = people.table
    names = [name for name in table.names if name != table.primary_key]
    twins = data.draw(st.lists(st.integers(0, len(table) - 1), max_size=6))
    blank = data.draw(st.integers(0, 3))
    rows = [[table.columns[name][row] for name in names] for row in [*range(len(table)), *twins]]
    rows = [[*cells, data.draw(CELLS)] for cells in rows] + [[None] * (len(names) + 1)] * blank
    order = data.draw(st.permutations(range(len(rows))))
    columns = {name: [rows[row][place] for row in order] for place, name in enumerate([*names, "note"])}
    return Table({"key": [f"k{row:03}" for row in range(len(rows))], **columns}, "key")
