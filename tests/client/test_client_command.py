"""The `label-loop` command: what it prints where, and how it ends."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from label_loop.__main__ import COMMANDS, main
from label_loop.arguments import make_parser
from tests.client.scripted_api import RUN, Answer, ScriptedApi, scripted_api

PAGE: Answer = (200, {}, {"items": [RUN], "next": None})


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


def _run(api: ScriptedApi, *arguments: str) -> int:
    return main([*arguments, "--api", api.url, "--region", "us-east-1"])


def test_list_is_a_table_a_json_document_or_ids(capsys: pytest.CaptureFixture[str]) -> None:
    with scripted_api(PAGE) as api:
        assert _run(api, "runs", "list") == 0
        table = capsys.readouterr().out.splitlines()
        assert table[0].split() == ["id", "taskType", "transformId", "status", "requestedOn", "completedOn"]
        assert table[1].split()[:4] == [RUN["id"], "LABELING_SET_GENERATION", "tfm-1", "STARTING"]
        assert _run(api, "runs", "list", "--json") == 0
        assert json.loads(capsys.readouterr().out) == {"items": [RUN], "next": None}
        assert _run(api, "--quiet", "runs", "list") == 0
        assert capsys.readouterr().out == f"{RUN['id']}\n"


def test_debug_prints_the_idempotency_key_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with scripted_api((202, {}, RUN)) as api:
        assert _run(api, "sets", "start", "tfm-1", "s3://bucket/sets", "--debug", "--quiet") == 0
    captured = capsys.readouterr()
    assert captured.out == f"{RUN['id']}\n"
    assert captured.err.strip() == f"idempotency key {api.received[0].headers['idempotency-key']}"


@pytest.mark.parametrize(
    ("answer", "arguments", "code", "message"),
    [
        ((404, {}, {"detail": "There is no such task run."}), ["runs", "get", "x"], 1, "There is no such task run."),
        ((403, {}, {"message": "not authorized"}), ["runs", "get", "x"], 4, "not authorized"),
        ((200, {}, {**RUN, "status": "FAILED"}), ["runs", "wait", RUN["id"]], 1, "ended as FAILED"),
        ((200, {}, RUN), ["runs", "wait", RUN["id"], "--timeout", "0"], 5, "it goes on"),
        ((200, {}, RUN), ["import", "tfm-1", "missing.csv"], 2, "missing.csv cannot be read"),
        ((200, {}, RUN), ["import", "tfm-1", "s3://b/x.csv", "--export-to", "s3://b/y"], 2, "goes with --replace"),
        ((200, {}, RUN), ["runs", "list", "--json", "--quiet"], 2, "only one of --json and --quiet"),
    ],
)
def test_exit_code_and_message(
    answer: tuple[int, dict[str, str], object],
    arguments: Sequence[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with scripted_api(answer) as api:
        assert _run(api, *arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert "Traceback" not in captured.err


def test_file_of_this_machine_needs_a_folder_in_s3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "labels.csv").write_text("labeling_set_id,label,id\n")
    with scripted_api(PAGE) as api:
        assert _run(api, "import", "tfm-1", str(tmp_path / "labels.csv")) == 2
    assert "--upload-to s3://bucket/folder" in capsys.readouterr().err
    assert api.received == []


def test_exit_codes_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "exit-codes"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["0", "1", "2", "3", "4", "5", "130"]


def test_unknown_verb_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as caught:
        make_parser(COMMANDS, "").parse_args(["start"])
    assert caught.value.code == 2
