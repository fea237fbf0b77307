"""A call goes on through what passes; a start does so with one idempotency key, and says which when it gives up."""

import pytest

from label_loop import NotAllowed, ServiceError, Unavailable
from tests.client.scripted_api import LOST, RUN, Answer, scripted_api

STARTED: Answer = (202, {}, RUN)


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        (LOST, 0.5),
        ((503, {"Retry-After": "7"}, {"title": "Glue cannot take the run just now"}), 7.0),
        ((429, {"Retry-After": "30"}, {"title": "The queue is full"}), 30.0),
        ((502, {}, {"message": "Internal server error"}), 0.5),
        ((409, {"Retry-After": "1"}, {"title": "The first request is still in flight"}), 1.0),
    ],
    ids=["connection lost", "503", "429", "502", "in flight"],
)
def test_start_is_repeated_with_the_same_key(answer: tuple[int, dict[str, str], object], pause: float) -> None:
    with scripted_api(answer, answer, STARTED) as api:
        run = api.loop().start_labeling_set("tfm-1", "s3://bucket/sets")
    assert run.id == RUN["id"]
    assert len(api.received) == 3
    assert len({request.headers["idempotency-key"] for request in api.received}) == 1
    assert api.pauses[0] == pause


def test_two_starts_have_two_keys_unless_the_caller_gives_one() -> None:
    with scripted_api(STARTED) as api:
        loop = api.loop()
        for key in (None, None, "mine"):
            loop.start_import("tfm-1", "s3://bucket/labels.csv", key)
    keys = [request.headers["idempotency-key"] for request in api.received]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


def test_error_of_a_start_that_was_given_up_names_the_key_to_go_on_with() -> None:
    unavailable: Answer = (503, {"Retry-After": "20"}, {"title": "Glue cannot take the run just now"})
    with scripted_api(unavailable) as api, pytest.raises(Unavailable, match="Glue cannot take the run just now") as caught:
        api.loop(seconds=50).start_evaluation("tfm-1")
    assert api.pauses == [20.0, 20.0]
    assert caught.value.idempotency_key == api.received[0].headers["idempotency-key"]
    assert str(caught.value.idempotency_key) in str(caught.value)


def test_refusal_is_not_repeated_and_names_each_field() -> None:
    problem = {
        "title": "Invalid request",
        "detail": "The request is invalid.",
        "errors": [{"pointer": "#/outputS3Path", "detail": "is not allowed"}],
    }
    with scripted_api((422, {}, problem)) as api, pytest.raises(ServiceError) as caught:
        api.loop().start_labeling_set("tfm-1", "s3://elsewhere/sets")
    assert len(api.received) == 1
    assert str(caught.value) == "The request is invalid.\n  outputS3Path is not allowed"


def test_conflict_of_a_cancellation_is_not_repeated() -> None:
    with scripted_api((409, {}, {"title": "The run has ended"})) as api, pytest.raises(ServiceError, match="has ended"):
        api.loop().cancel(RUN["id"])
    assert len(api.received) == 1


def test_link_is_never_made_twice() -> None:
    with scripted_api(LOST) as api, pytest.raises(Unavailable):
        api.loop().create_link(RUN["id"], "ann")
    assert len(api.received) == 1


def test_missing_right_is_an_error_of_its_own() -> None:
    with (
        scripted_api((403, {}, {"message": "User is not authorized"})) as api,
        pytest.raises(NotAllowed, match="not authorized"),
    ):
        api.loop().task_run(RUN["id"])
    assert len(api.received) == 1
