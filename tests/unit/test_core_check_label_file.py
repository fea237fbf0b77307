"""A label file is validated before its import starts, and the version that was checked is imported."""

import pytest

from core.errors import TryAgainLater
from core.label_file import MAX_BYTES
from core.runs import Status
from tests.fakes.files import GOOD
from tests.fakes.service import UPLOADED, Service, import_command, labeling_command

HEADER = b"labeling_set_id,label,id,name\n"


@pytest.mark.parametrize("body", [None, b"", b"no label file\n", b"x" * (MAX_BYTES + 1)])
def test_invalid_file_is_refused_and_nothing_is_started(body: bytes | None) -> None:
    service = Service()
    service.files.contents[UPLOADED] = body
    run = service.start_run(import_command())
    assert (run.status, run.error and run.error.code) == (Status.REFUSED, "INVALID_LABEL_FILE")
    assert service.glue.calls == []


def test_invalid_file_is_refused_even_if_its_import_would_be_queued() -> None:
    service = Service()
    service.start_run(import_command("open", path="s3://bucket/other.csv"))
    service.files.contents[UPLOADED] = b"no label file\n"
    assert service.start_run(import_command()).status is Status.REFUSED


def test_quotes_escaped_with_a_backslash_are_accepted() -> None:
    service = Service()
    service.files.contents[UPLOADED] = HEADER + b'a,1,1,"a \\"b\\", c"\na,1,2,y\n'
    assert service.start_run(import_command()).status is Status.STARTING


def test_file_changed_while_its_import_was_queued_is_refused() -> None:
    service = Service()
    first = service.start_run(import_command("first", path="s3://bucket/first.csv"))
    waiting = service.start_run(import_command("second"))
    service.files.contents[UPLOADED] = GOOD + b"b,1,1,x\nb,2,2,y\n"
    service.glue.finish_all()
    service.reconcile()
    service.reconcile()
    ended = service.reload(waiting)
    assert (ended.status, ended.error and ended.error.code) == (Status.REFUSED, "LABEL_FILE_CHANGED")
    assert [task_run.task_run_id for task_run in service.glue.all_task_runs()] == [service.reload(first).task_run_id]


def test_same_key_starts_the_import_once_the_file_is_corrected() -> None:
    service = Service()
    service.files.contents[UPLOADED] = b"no label file\n"
    assert service.start_run(import_command()).status is Status.REFUSED
    service.files.contents[UPLOADED] = GOOD
    again = service.start_run(import_command())
    assert (again.status, again.attempt) == (Status.STARTING, 2)


def test_nothing_is_accepted_while_s3_is_unavailable() -> None:
    service = Service()
    service.files.is_down = True
    with pytest.raises(TryAgainLater):
        service.start(import_command())
    assert service.ledger.items == {}
    service.files.is_down = False
    assert service.start_run(import_command()).status is Status.STARTING


def test_labeling_set_starts_without_s3() -> None:
    service = Service()
    service.files.is_down = True
    assert service.start_run(labeling_command()).status is Status.STARTING


def test_upload_is_imported_in_the_version_of_its_event() -> None:
    service = Service()
    version = service.files.current_version(UPLOADED)
    upload = import_command("upload")._replace(file_version=f'{version} "etag"')
    assert service.start_run(upload).status is Status.STARTING
    superseded = service.start_run(import_command("older")._replace(file_version='another "etag"'))
    assert (superseded.status, superseded.error and superseded.error.code) == (Status.REFUSED, "LABEL_FILE_SUPERSEDED")
