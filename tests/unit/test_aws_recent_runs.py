from core.aws.recent_runs import RecentRuns


def test_who_was_added_is_known_until_discarded() -> None:
    known = RecentRuns()
    known.add("one")
    known.add("one")
    assert "one" in known
    assert "two" not in known
    known.discard("one")
    known.discard("one")
    assert "one" not in known


def test_the_latest_thousand_are_known() -> None:
    known = RecentRuns()
    for number in range(1001):
        known.add(str(number))
    assert "0" not in known
    assert all(str(number) in known for number in range(1, 1001))
