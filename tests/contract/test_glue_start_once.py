"""A start sends one HTTP request, whatever happens to the response; and which failures prove that nothing started.

Counted at a server over real sockets, with the clients that handlers.wiring makes.
"""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from boto3.session import Session
from botocore.config import Config

from core.errors import GlueUnavailable, LoopError, NotFoundInGlue, NotStarted, Refused, ResponseLost
from core.ports import Glue
from core.runs import Run, Status
from handlers import wiring
from tests.contract.counting_server import (
    Behavior,
    CountingServer,
    counting_server,
    drop,
    drop_unread,
    hang,
    raw_reply,
    reply,
)
from tests.contract.credentials import CREDENTIALS
from tests.contract.glue_responses import RESPONSES, refusal
from tests.contract.sample_runs import NOW, evaluating, exporting, importing, labeling

QUICK = Config(connect_timeout=1, read_timeout=0.3)
ENVIRONMENT = {"LEDGER_TABLE": "ledger", "ALLOWED_S3_PREFIXES": ""}
EVERY_RUN = pytest.mark.parametrize(
    "run", [labeling(), importing(), evaluating(), exporting()], ids=["labeling", "import", "evaluation", "export"]
)


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with counting_server() as server:
        yield server


@pytest.fixture(params=["", "legacy", "adaptive"])
def retry_mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry settings that an operator's environment may have."""
    if request.param:
        monkeypatch.setenv("AWS_RETRY_MODE", request.param)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")


@pytest.fixture
def glue(server: CountingServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Glue]:
    yield from glue_at(server.url, monkeypatch)


def glue_at(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Glue]:
    """The Glue adapter as wired, with shorter timeouts."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", url)
    for name in ("_NO_RETRIES", "_WITH_RETRIES"):
        monkeypatch.setattr(wiring, name, getattr(wiring, name).merge(QUICK))
    clients: list[object] = []
    session = Session(**CREDENTIALS)
    deps = wiring.build_dependencies(ENVIRONMENT, _Remembering(session, clients))  # type: ignore[arg-type]  # its one method that is used
    yield deps.glue
    for client in clients:
        client.close()  # type: ignore[attr-defined]  # boto3 makes clients at run time


class _Remembering:
    """A session whose clients can be closed afterwards."""

    def __init__(self, session: Session, clients: list[object]) -> None:
        self._session = session
        self._clients = clients

    def client(self, service: str, config: Config) -> object:
        client: object = self._session.client(service, config=config)  # type: ignore[call-overload]  # the name is any service's
        self._clients.append(client)
        return client


@EVERY_RUN
@pytest.mark.parametrize(("behave", "error"), [pytest.param(behave, error, id=name) for name, behave, error in RESPONSES])
def test_start_sends_one_request_and_its_failure_maps_to_our_exception(
    server: CountingServer, glue: Glue, behave: Behavior, error: type[LoopError], run: Run
) -> None:
    server.behave = behave
    with pytest.raises(LoopError) as failure:
        glue.start(run)
    assert type(failure.value) is error
    assert server.requests == 1


@pytest.mark.usefixtures("retry_mode")
@pytest.mark.parametrize("behave", [hang, drop, raw_reply(500, b"")], ids=["timeout", "dropped", "500"])
def test_retry_settings_in_the_environment_never_repeat_a_start(server: CountingServer, glue: Glue, behave: Behavior) -> None:
    server.behave = behave
    with pytest.raises(ResponseLost):
        glue.start(labeling())
    assert server.requests == 1


@EVERY_RUN
def test_successful_start_returns_the_task_run_id(server: CountingServer, glue: Glue, run: Run) -> None:
    server.behave = reply(200, {"TaskRunId": "tsk-1"})
    assert glue.start(run) == "tsk-1"
    assert server.requests == 1


def test_refused_connection_means_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refuses every connection
        for glue in glue_at(f"http://127.0.0.1:{taken.getsockname()[1]}", monkeypatch):
            with pytest.raises(NotStarted):
                glue.start(labeling())


def test_connection_lost_while_sending_means_unconfirmed(server: CountingServer, glue: Glue) -> None:
    server.behave = drop_unread
    with pytest.raises(ResponseLost):
        glue.start(labeling())
    assert server.requests == 0


def test_invalid_parameters_are_refused_without_a_request(server: CountingServer, glue: Glue) -> None:
    with pytest.raises(Refused, match="InvalidInputException"):
        glue.start(replace(labeling(), transform_id=""))
    assert server.requests == 0


def test_label_file_over_the_size_limit_is_refused_and_not_retried(server: CountingServer, glue: Glue) -> None:
    """Glue raises the same exception for too many runs, which is worth a retry, and for too large a file, which is not."""
    message = "Label file has exceeded the limit of 10 MB."
    server.behave = reply(400, {"__type": "ResourceNumberLimitExceededException", "Message": message})
    with pytest.raises(Refused, match=message):
        glue.start(importing())


def test_missing_right_to_start_is_named(server: CountingServer, glue: Glue) -> None:
    server.behave = refusal("AccessDeniedException")
    with pytest.raises(Refused, match="glue:StartMLEvaluationTaskRun"):
        glue.start(evaluating())


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidInputException", "ValidationException", "SomethingNew"])
def test_permanently_refused_look_up_of_a_transform_is_told_from_a_passing_one(
    server: CountingServer, glue: Glue, code: str
) -> None:
    server.behave = refusal(code)
    with pytest.raises(Refused) as refused:
        glue.get_transform("tfm-1")
    assert refused.value.code == code
    assert ("glue:GetMLTransform" in str(refused.value)) is (code == "AccessDeniedException")


@pytest.mark.parametrize(
    "behave",
    [
        drop,
        raw_reply(403, b"<html>proxy</html>"),
        refusal("InternalServiceException", 500),
        refusal("OperationTimeoutException"),
        refusal("ThrottlingException"),
        refusal("UnrecognizedClientException"),
    ],
    ids=["drop", "403 from something in between", "500", "timeout", "throttle", "credentials"],
)
def test_passing_failure_of_a_look_up_of_a_transform_refuses_nothing(
    server: CountingServer, glue: Glue, behave: Behavior
) -> None:
    server.behave = behave
    with pytest.raises(GlueUnavailable):
        glue.get_transform("tfm-1")


def test_denied_look_up_of_a_run_proves_nothing_about_the_run(server: CountingServer, glue: Glue) -> None:
    server.behave = refusal("AccessDeniedException")
    for look_up in (
        lambda: glue.get_task_run("tfm-1", "tsk-1"),
        lambda: glue.list_task_runs("tfm-1", NOW),
        lambda: glue.cancel("tfm-1", "tsk-1"),
    ):
        with pytest.raises(GlueUnavailable):
            look_up()


@pytest.mark.parametrize("behave", [drop, raw_reply(500, b""), refusal("ThrottlingException")], ids=["drop", "500", "throttle"])
def test_look_up_is_retried_twice(server: CountingServer, glue: Glue, behave: Behavior) -> None:
    server.behave = behave
    with pytest.raises(GlueUnavailable):
        glue.get_task_run("tfm-1", "tsk-1")
    assert server.requests == 3


def test_listed_run_with_an_id_alone_counts_as_in_glue(server: CountingServer, glue: Glue) -> None:
    server.behave = reply(200, {"TaskRuns": [{"TaskRunId": "tsk-1"}, {"Status": "RUNNING"}]})
    (task_run,) = glue.list_task_runs("tfm-1", NOW)
    assert (task_run.task_run_id, task_run.status) == ("tsk-1", Status.STARTING)


@pytest.mark.parametrize("answer", [[], {}, {"TaskRuns": 7}, {"TaskRuns": [[]]}])
def test_unreadable_listing_raises_glue_unavailable(server: CountingServer, glue: Glue, answer: object) -> None:
    server.behave = reply(200, answer)
    if answer == {}:
        assert glue.list_task_runs("tfm-1", NOW) == []
    else:
        with pytest.raises(GlueUnavailable):
            glue.list_task_runs("tfm-1", NOW)


def test_unknown_ids_are_not_retried(server: CountingServer, glue: Glue) -> None:
    server.behave = refusal("EntityNotFoundException")
    for look_up in (
        lambda: glue.get_task_run("tfm-1", "tsk-1"),
        lambda: glue.list_task_runs("tfm-1", NOW),
        lambda: glue.cancel("tfm-1", "tsk-1"),
    ):
        with pytest.raises(NotFoundInGlue):
            look_up()
    assert server.requests == 3
