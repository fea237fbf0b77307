"""The label API: what a link opens, and what a labeler may do with it."""

import json
from datetime import timedelta

import pytest

from core.errors import InvalidRequest
from core.labeling.errors import LinkNotFound, PageOff, SetNotReady, SetUnusable
from core.labeling.links import LinkRequest, list_links, mint_link, revoke_link
from core.labeling.ports import LabelingDependencies
from core.runs import RunError, Status
from tests.fakes.labeling_room import LABEL_URL, SET_FILE, LabelingRoom
from tests.fakes.service import evaluation_command, labeling_command

ALL_ANSWERED: dict[str, object] = {"0": 1, "1": 1, "2": "alone", "3": 1, "4": 1}
EXPECTED_FILE = (
    b"labeling_set_id,label,id,name\n"
    b's1,A,1,"Ann ""A"" Lee"\n'
    b"s1,A,2,Anne Lee\n"
    b"s1,B,3,Bob\n"
    b"s2,A,4,Z\xc3\xbcrich AG\n"
    b"s2,A,5,Zurich\n"
)


@pytest.fixture
def room() -> LabelingRoom:
    return LabelingRoom()


# --- links


def test_a_link_has_the_token_in_its_fragment_and_only_a_hash_is_kept(room: LabelingRoom) -> None:
    new = mint_link(room.run, LinkRequest("ann", timedelta(hours=1), may_import=True, blind=False), "alice", None, room.deps)
    address, _, token = new.url.partition("&t=")
    assert address == f"{LABEL_URL}/label#s={room.run.id}"
    link_id, secret = token.split(".")
    assert (len(link_id), len(secret)) == (16, 43)
    assert not [text for text, _ in room.documents.items.values() if secret in text]


def test_links_are_listed_until_they_are_revoked_or_expire(room: LabelingRoom) -> None:
    first, second = room.token("ann", hours=1), room.token("ben")
    assert [link.labeler for link in list_links(room.run.id, room.deps)] == ["ben", "ann"]
    room.service.clock.pass_seconds(3600)
    assert [link.labeler for link in list_links(room.run.id, room.deps)] == ["ben"]
    revoke_link(room.run.id, second.partition(".")[0], room.deps)
    assert list_links(room.run.id, room.deps) == []
    with pytest.raises(LinkNotFound):
        revoke_link("0" * 32, first.partition(".")[0], room.deps)


@pytest.mark.parametrize(
    ("labeler", "seconds", "pointer"),
    [("", 600, "labeler"), (" ann", 600, "labeler"), ("a\nb", 600, "labeler"), ("x" * 65, 600, "labeler"),
     ("ann", 299, "expiresInSeconds"), ("ann", 604_801, "expiresInSeconds")],
)  # fmt: skip
def test_a_link_for_nobody_or_for_too_long_is_refused(room: LabelingRoom, labeler: str, seconds: int, pointer: str) -> None:
    request = LinkRequest(labeler, timedelta(seconds=seconds), may_import=True, blind=False)
    with pytest.raises(InvalidRequest, match=pointer):
        mint_link(room.run, request, "alice", None, room.deps)


def test_no_link_without_a_page(room: LabelingRoom) -> None:
    off = LabelingDependencies(room.service.deps, room.documents, room.objects, str)
    with pytest.raises(PageOff, match="LabelingPage"):
        mint_link(room.run, LinkRequest("ann", timedelta(hours=1), may_import=True, blind=False), "alice", None, off)


def test_no_link_before_the_set_is_generated(room: LabelingRoom) -> None:
    with pytest.raises(SetNotReady, match="STARTING"):
        room.token(run=room.service.start_run(labeling_command("round-2")))


def test_no_link_without_exactly_one_readable_file(room: LabelingRoom) -> None:
    run = room.new_set("round-2", b"id,name\n1,Ann\n")
    with pytest.raises(SetUnusable, match="header must begin"):
        room.token(run=run)
    room.service.files.contents[f"{run.path}part-1.csv"] = SET_FILE
    with pytest.raises(SetUnusable, match="several CSV files"):
        room.token(run=run)


# --- tokens


@pytest.mark.parametrize("token", [None, "", "x", "a" * 16 + "." + "b" * 43, "é" * 60])
def test_a_wrong_token_opens_nothing(room: LabelingRoom, token: str | None) -> None:
    answer = room.call("GET", "", token)
    assert (answer.status, answer.body["code"]) == (401, "LINK_UNKNOWN")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_wrong_secret_does_not_even_learn_that_the_link_was_revoked(room: LabelingRoom) -> None:
    link_id = room.token().partition(".")[0]
    revoke_link(room.run.id, link_id, room.deps)
    assert room.call("GET", "", f"{link_id}.{'b' * 43}").body["code"] == "LINK_UNKNOWN"


def test_a_malformed_token_costs_no_aws_call(room: LabelingRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.documents, "read", lambda _: pytest.fail("the ledger was read"))
    assert room.call("GET", "", "x").status == 401


def test_expired_and_revoked_links_say_so(room: LabelingRoom) -> None:
    expired, revoked = room.token(hours=0.1), room.token()
    revoke_link(room.run.id, revoked.partition(".")[0], room.deps)
    room.service.clock.pass_seconds(360)
    codes = [room.call("GET", "", token).body["code"] for token in (expired, revoked)]
    assert codes == ["LINK_EXPIRED", "LINK_REVOKED"]


def test_a_token_for_one_set_does_not_open_another(room: LabelingRoom) -> None:
    other = room.new_set("round-2", SET_FILE)
    room.token(run=other)
    assert room.call("GET", "", room.token(), set_id=other.id).status == 404


# --- rows and answers


def test_a_set_has_its_rows_as_strings_and_no_answers_at_first(room: LabelingRoom) -> None:
    answer = room.call("GET", "", room.token("ann"))
    assert answer.status == 200
    assert answer.body["columns"] == ["id", "name"]
    assert answer.body["rows"][0] == {"set": "s1", "cells": ["1", 'Ann "A" Lee']}
    assert (answer.body["labeler"], answer.body["answers"], answer.body["submission"]) == ("ann", {}, None)
    assert answer.headers["cache-control"] == "no-store"


def test_a_set_shows_how_good_the_matching_was_after_earlier_rounds(room: LabelingRoom) -> None:
    service = room.service
    service.glue.label_count = 10
    for key in ("evaluation-1", "evaluation-2"):
        service.start_run(evaluation_command(key))
        service.glue.finish_all()
        service.reconcile()
    ended = [run for run in service.ledger.items.values() if run.metrics is not None]
    assert len(ended) == 2
    shown = room.call("GET", "", room.token("ann")).body["evaluations"]
    assert [each["f1"] for each in shown] == [run.metrics and run.metrics.f1 for run in ended]
    assert shown[0]["completedOn"] < shown[1]["completedOn"]


def test_a_set_shows_no_evaluations_of_other_callers(room: LabelingRoom) -> None:
    room.service.glue.label_count = 10
    room.service.start_run(evaluation_command("evaluation-1", caller="somebody else"))
    room.service.glue.finish_all()
    room.service.reconcile()
    assert room.call("GET", "", room.token("ann")).body["evaluations"] == []


def test_answers_are_kept_per_labeler(room: LabelingRoom) -> None:
    ann, ben = room.token("ann"), room.token("ben")
    saved = room.save(ann, {"0": 1, "1": "unsure"})
    assert (saved.status, saved.body) == (200, {"answered": 2, "unsure": 1})
    assert room.call("GET", "", ann).body["answers"] == {"0": 1, "1": "unsure"}
    assert room.call("GET", "", ben).body["answers"] == {}
    assert room.call("GET", "", room.token("ann")).body["answers"] == {"0": 1, "1": "unsure"}  # a new link goes on


def test_answers_that_were_saved_elsewhere_are_not_overwritten(room: LabelingRoom) -> None:
    token = room.token()
    old = room.etag(token)
    saved = room.save(token, {"0": 1})
    late = room.call("PUT", "/answers", token, {"answers": {"1": 2}}, etag=old)
    assert (late.status, late.body["answers"], late.body["etag"]) == (412, {"0": 1}, saved.headers["etag"])
    assert room.call("PUT", "/answers", token, {"answers": {"0": 1, "1": 2}}, etag=late.body["etag"]).status == 200


def test_answers_without_if_match_are_refused(room: LabelingRoom) -> None:
    assert room.call("PUT", "/answers", room.token(), {"answers": {}}).status == 428


@pytest.mark.parametrize(
    ("answers", "pointer"),
    [({"5": 1}, "#/answers/5"), ({"-1": 1}, "#/answers/-1"), ({"01": 1}, "#/answers/01"), ({"a/b": 1}, "#/answers/a~1b"),
     ({"0": 0}, "#/answers/0"), ({"0": 51}, "#/answers/0"), ({"0": True}, "#/answers/0"), ({"0": 1.0}, "#/answers/0"),
     ({"0": "A\n1,INJECTED"}, "#/answers/0"), ({"0": None}, "#/answers/0"), ({"0": [1]}, "#/answers/0"),
     ({"9" * 40: 1}, "#/answers/" + "9" * 20)],
)  # fmt: skip
def test_answers_are_a_closed_vocabulary(room: LabelingRoom, answers: dict[str, object], pointer: str) -> None:
    answer = room.save(room.token(), answers)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)


@pytest.mark.parametrize(("body", "status"), [("{", 400), ("[]", 422), ('{"answers": {}, "labels": 1}', 422), ("{}", 422)])
def test_a_body_in_another_form_is_refused(room: LabelingRoom, body: str, status: int) -> None:
    token = room.token()
    assert room.call("PUT", "/answers", token, body, etag=room.etag(token)).status == status


def test_a_body_that_is_too_long_is_refused(room: LabelingRoom) -> None:
    assert room.save(room.token(), {"x" * 70_000: 1}).status == 413


def test_a_set_that_was_changed_in_s3_can_neither_be_read_nor_submitted(room: LabelingRoom) -> None:
    token = room.token()
    room.save(token, ALL_ANSWERED)
    etag = room.etag(token)
    room.service.files.contents[f"{room.run.path}part-0.csv"] = SET_FILE + b"s2,,6,Bern\n"
    for answer in (room.call("GET", "", token), room.call("POST", "/submission", token, {}, etag=etag)):
        assert (answer.status, answer.body["code"]) == (409, "LABELING_SET_CHANGED")
    assert room.imports() == []


def test_a_set_too_large_for_a_browser_names_the_command_line(room: LabelingRoom) -> None:
    rows = b"".join(b"s%d,,%d,%s\n" % (number // 40, number, b"x" * 60_000) for number in range(100))
    run = room.new_set("large", b"labeling_set_id,label,id,name\n" + rows)
    answer = room.call("GET", "", room.token(run=run), set_id=run.id)
    assert answer.status == 413
    assert "label-loop" in answer.body["detail"]


# --- check and submission


def test_check_counts_what_would_be_learned(room: LabelingRoom) -> None:
    token = room.token()
    room.save(token, ALL_ANSWERED | {"3": "unsure"})
    check = room.call("GET", "/check", token).body
    assert (check["ok"], check["errors"], check["rows"], check["leftOut"]) == (True, [], 3, 2)
    assert (check["matchPairs"], check["nonMatchPairs"]) == (1, 2)
    assert check["warnings"] == [
        {"message": "is the only row of its set with an answer, so it is left out: Glue learns from pairs", "row": 4}
    ]


def test_check_without_answers_says_what_is_missing(room: LabelingRoom) -> None:
    check = room.call("GET", "/check", room.token()).body
    assert (check["ok"], check["errors"][0]["message"]) == (False, "No set has two rows with an answer yet.")


def test_check_finds_by_row_what_an_import_would_refuse(room: LabelingRoom) -> None:
    run = room.new_set("rounded", b'labeling_set_id,label,id,name\r\ns1,,1,"a\nb"\r\ns1,,1,"a\nb"\r\ns1,,2,b\r\n')
    token = room.token(run=run)
    etag = room.call("GET", "", token, set_id=run.id).headers["etag"]
    room.call("PUT", "/answers", token, {"answers": {"0": 1, "1": 2}}, etag=etag, set_id=run.id)
    check = room.call("GET", "/check", token, set_id=run.id).body
    assert (check["ok"], [error["row"] for error in check["errors"]]) == (False, [0, 1])
    assert "another label" in check["errors"][1]["message"]
    etag = room.call("GET", "", token, set_id=run.id).headers["etag"]
    refused = room.call("POST", "/submission", token, {}, etag=etag, set_id=run.id)
    assert (refused.status, refused.body["errors"]) == (422, check["errors"])


def test_submission_imports_the_spliced_file_for_whoever_minted_the_link(room: LabelingRoom) -> None:
    token = room.token("ann", minted_by="alice")
    room.save(token, ALL_ANSWERED)
    answer = room.submit(token)
    (run,) = room.imports()
    assert (answer.status, answer.headers["location"]) == (202, "submission")
    assert answer.body["submission"]["taskRunId"] == run.id
    assert (run.requested_by, run.path) == ("alice", room.objects.writes[0])
    assert room.objects.writes[0].startswith(f"{room.run.path}submitted/")
    assert room.service.files.contents[room.objects.writes[0]] == EXPECTED_FILE
    assert (run.labeled.set_id, run.labeled.labeler) == (room.run.id, "ann") if run.labeled else pytest.fail("not labeled")
    assert room.call("GET", "/submission", token).body["submission"]["status"] == "STARTING"


def test_the_same_labels_again_are_the_same_import(room: LabelingRoom) -> None:
    token = room.token()
    room.save(token, ALL_ANSWERED)
    first = room.submit(token)
    again = room.submit(token)
    assert (again.status, again.headers["idempotency-replayed"]) == (202, "true")
    assert again.body["submission"]["taskRunId"] == first.body["submission"]["taskRunId"]
    assert len(room.imports()) == len(room.objects.writes) == 1
    room.service.deliver()
    assert room.service.bus.detail_types().count("LabelsSubmitted") == 1


def test_the_event_tells_what_was_submitted(room: LabelingRoom) -> None:
    token = room.token("ann")
    room.save(token, ALL_ANSWERED)
    room.submit(token)
    room.service.deliver()
    (event,) = [event for event in room.service.bus.events if event.detail_type == "LabelsSubmitted"]
    assert json.loads(event.detail.data.model_dump_json(by_alias=True)) == {
        "labelingSetId": room.run.id,
        "transformId": "tfm-1",
        "labeledBy": "ann",
        "rows": 5,
        "leftOut": 0,
        "matchPairs": 2,
        "nonMatchPairs": 2,
        "importRunId": room.imports()[0].id,
    }


def test_other_labels_are_refused_while_the_import_is_open_or_done(room: LabelingRoom) -> None:
    ann, ben = room.token("ann"), room.token("ben")
    room.save(ann, ALL_ANSWERED)
    room.save(ben, ALL_ANSWERED | {"4": "alone"})
    etags = {ann: room.etag(ann), ben: room.etag(ben)}
    room.submit(ann)
    for status in (None, Status.SUCCEEDED):
        if status:
            room.end_import(status=status, completed_on=room.service.clock())
        late = room.call("POST", "/submission", ben, {}, etag=etags[ben])
        assert (late.status, late.body["code"]) == (409, "ALREADY_SUBMITTED")
        assert "submitted by ann" in late.body["detail"]
        assert room.call("PUT", "/answers", ann, {"answers": {}}, etag=etags[ann]).status == 409
    assert len(room.imports()) == 1


@pytest.mark.parametrize("status", [Status.REFUSED, Status.FAILED, Status.TIMEOUT, Status.START_FAILED, Status.LOST])
def test_after_a_bad_end_the_same_or_other_labels_are_a_new_import(room: LabelingRoom, status: Status) -> None:
    token = room.token()
    room.save(token, ALL_ANSWERED)
    room.submit(token)
    room.end_import(status=status, completed_on=room.service.clock(), error=RunError("GLUE", "out of memory"))
    shown = room.call("GET", "/submission", token).body["submission"]
    assert (shown["status"], shown["error"]) == (status, {"code": "GLUE", "message": "out of memory"})
    again = room.submit(token)
    assert (again.status, again.body["submission"]["status"]) == (202, "STARTING")
    room.end_import(status=status, completed_on=room.service.clock())
    assert room.save(token, ALL_ANSWERED | {"2": "unsure"}).status == 200
    assert room.submit(token).body["submission"]["status"] == "STARTING"


def test_a_correction_must_label_every_imported_row_again(room: LabelingRoom) -> None:
    token = room.token()
    room.save(token, ALL_ANSWERED)
    room.submit(token)
    room.end_import(status=Status.SUCCEEDED, completed_on=room.service.clock())

    def correct(answers: dict[str, object]) -> int:
        body = {"answers": answers, "correct": True}
        assert room.call("PUT", "/answers", token, body, etag=room.etag(token)).status == 200
        return room.submit(token, correct=True).status

    assert correct(ALL_ANSWERED | {"2": "unsure"}) == 422
    assert correct(ALL_ANSWERED | {"2": 1}) == 202
    assert len(room.imports()) == 2


def test_a_link_for_labeling_only_cannot_import(room: LabelingRoom) -> None:
    token = room.token(may_import=False)
    room.save(token, ALL_ANSWERED)
    assert room.submit(token).status == 403
    assert (room.imports(), room.objects.writes) == ([], [])


def test_answers_that_changed_since_the_check_are_not_submitted(room: LabelingRoom) -> None:
    token = room.token()
    old = room.etag(token)
    room.save(token, ALL_ANSWERED)
    assert room.call("POST", "/submission", token, {}, etag=old).status == 412
    assert room.call("POST", "/submission", token, {}).status == 428


def test_nothing_submitted_yet_is_404(room: LabelingRoom) -> None:
    assert room.call("GET", "/submission", room.token()).status == 404


def test_a_full_queue_loses_nothing(room: LabelingRoom) -> None:
    token = room.token()
    room.save(token, ALL_ANSWERED)
    room.service.set_policy(max_queued=0)
    room.service.glue.limit = 0
    assert room.submit(token).status == 429
    room.service.glue.limit = 3
    assert (room.submit(token).status, len(room.imports())) == (202, 1)


# --- files and paths


def test_labels_csv_is_what_would_be_imported(room: LabelingRoom) -> None:
    token = room.token()
    room.save(token, ALL_ANSWERED)
    answer = room.call("GET", "/labels.csv", token)
    assert answer.body.encode() == EXPECTED_FILE
    assert answer.headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize(("method", "tail"), [("GET", "/nothing"), ("DELETE", ""), ("POST", "/answers")])
def test_unknown_paths_are_problems(room: LabelingRoom, method: str, tail: str) -> None:
    answer = room.call(method, tail, room.token())
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_fault_is_answered_and_logged_without_what_people_sent(
    room: LabelingRoom, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    token = room.token()
    caplog.clear()
    monkeypatch.setattr("handlers.label.api.desk_view", lambda *_: int("Ann Lee"))
    assert room.call("GET", "", token).status == 500
    (record,) = caplog.records
    assert (record.message, vars(record)["cause"]) == ("INTERNAL_FAULT", "ValueError")
    assert "Ann" not in str(vars(record))
