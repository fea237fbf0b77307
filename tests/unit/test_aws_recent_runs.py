from core.aws.recent_runs import RecentRuns


def test_added_run_is_recent_until_discarded() -> None:
    recent = RecentRuns()
    recent.add("one")
    recent.add("one")
    assert "one" in recent
    assert "two" not in recent
    recent.discard("one")
    recent.discard("one")
    assert "one" not in recent


def test_latest_thousand_runs_are_recent() -> None:
    recent = RecentRuns()
    for number in range(1001):
        recent.add(str(number))
    assert "0" not in recent
    assert all(str(number) in recent for number in range(1, 1001))
