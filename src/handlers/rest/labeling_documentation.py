"""What the OpenAPI document says about the operations on labeling sets; see `documentation`."""

from typing import Any

from core.errors import InvalidRequest, LedgerUnavailable, RunNotFound
from core.labeling.errors import LinkNotFound, PageOff, SetChanged, SetNotReady, SetUnusable, TooManyLinks
from core.labeling.sets import SET_CHANGED
from handlers.rest.documentation import (
    _BODY,
    _MALFORMED_JSON_EXAMPLE,
    _READ_AGAIN,
    _RETRY,
    _example,
    _field,
    _operation,
    _problem,
    _responses,
    _success,
    _unavailable,
)
from handlers.rest.examples import TASK_RUN_ID
from handlers.rest.headers import LOCATION
from handlers.rest.labeling_problems import KINDS
from handlers.rest.labeling_sets import CSV
from handlers.rest.problems import KINDS as GENERAL_KINDS

_TAG = "labeling sets"
_UNKNOWN_SET_EXAMPLE = _example(GENERAL_KINDS[RunNotFound], f"There is no task run {TASK_RUN_ID}.", {})
_UNKNOWN_SET = {404: _problem("There is no such labeling set, or it is another caller's.", _UNKNOWN_SET_EXAMPLE)}
_NOT_READY = _example(KINDS[SetNotReady], "The labeling set is not generated yet: its run is RUNNING.", {})
_UNUSABLE = _example(KINDS[SetUnusable], "The folder of the labeling set has no CSV file; exactly one is needed.", {})
_CHANGED = _example(KINDS[SetChanged], SET_CHANGED, {})
_READING: dict[int, Any] = {
    **_responses(outcome=_READ_AGAIN, fault=_READ_AGAIN, timeout=_READ_AGAIN),
    **_UNKNOWN_SET,
    **_unavailable(f"The ledger or S3 is temporarily unavailable. {_READ_AGAIN}", LedgerUnavailable),
}
_COMPARING: dict[int, Any] = {
    **_READING,
    409: _problem(
        "The labeling set is not generated yet, its file cannot be read, or was changed since the first link.",
        _NOT_READY,
        _UNUSABLE,
        _CHANGED,
        headers=_RETRY,
    ),
}

OPERATIONS: dict[str, dict[str, Any]] = {
    "getLabelingSet": _operation(
        "Get a labeling set",
        "Returns what is known of a labeling set: its file, its labelers, their progress, and the labels that were submitted. "
        "Its `id` is that of the run that generated it.",
        {200: _success("LabelingSetView", "The labeling set."), **_READING},
        _TAG,
    ),
    "listAnswers": _operation(
        "List answers",
        "Returns the answers of every labeler, by row number from 0: a group from 1 to 50, `alone` or `unsure`.",
        {200: _success("AnswersList", "The answers of every labeler who has any."), **_READING},
        _TAG,
    ),
    "getAgreement": _operation(
        "Compare labelers",
        "Compares the labelers of a set by pairs of rows: on how many they agree, Cohen's kappa, and every pair that they see "
        "differently.",
        {200: _success("AgreementView", "How far the labelers agree."), **_COMPARING},
        _TAG,
    ),
    "getConsensus": _operation(
        "Get the consensus file",
        "Returns a label file of the rows on which all labelers agree, in the sets that two or more have answered. It can be "
        "imported like any label file.",
        {200: {"description": "The label file.", "content": {CSV: {"schema": {"type": "string"}}}}, **_COMPARING},
        _TAG,
    ),
    "createLink": _operation(
        "Create a link",
        "Makes a link with which a person labels the set in a browser, without AWS credentials. Whoever has the link has its "
        "rights, so send it as you would a password. An import that the labeler starts is yours. The first link pins the set's "
        "file: if it is changed later, its links stop working.",
        {
            201: _success("NewLinkView", "The link. Its `url` is not kept: it cannot be shown again.", LOCATION),
            **_responses(
                outcome="No link was made; send the request again later.",
                fault="A link may have been made that nobody knows: send the request again.",
                timeout="A link may have been made that nobody knows: send the request again.",
            ),
            400: _problem("The body is not JSON.", _MALFORMED_JSON_EXAMPLE),
            404: _problem(
                "There is no such labeling set, it is another caller's, or this deployment has no labeling page.",
                _UNKNOWN_SET_EXAMPLE,
                _example(
                    KINDS[PageOff],
                    "This deployment has no labeling page; an operator can switch it on with the parameter LabelingPage.",
                    {},
                ),
            ),
            409: _problem(
                "The labeling set is not generated yet, its file cannot be labeled, or it has too many links.",
                _NOT_READY,
                _UNUSABLE,
                _example(KINDS[TooManyLinks], "A labeling set has at most 200 links that are valid, and 50 labelers.", {}),
                headers=_RETRY,
            ),
            422: _problem(
                "Fields are not valid.",
                _example(GENERAL_KINDS[InvalidRequest], "", _field("must be from 300 to 604800", pointer="#/expiresInSeconds")),
            ),
            **_BODY,
            **_unavailable("The ledger or S3 is temporarily unavailable. Send the request again.", LedgerUnavailable),
        },
        _TAG,
    ),
    "listLinks": _operation(
        "List links",
        "Returns the links of the set that are valid, without their secrets.",
        {200: _success("LinkList", "The links, newest first."), **_READING},
        _TAG,
    ),
    "revokeLink": _operation(
        "Revoke a link",
        "Withdraws a link: from the next request on, it opens nothing. Answers that were saved stay.",
        {
            204: {"description": "The link is revoked."},
            **_responses(
                outcome="Nothing was revoked; send the request again later.",
                fault="The link may still be valid: send the request again.",
                timeout="The link may still be valid: send the request again.",
            ),
            404: _problem(
                "There is no such labeling set, it is another caller's, or it has no such link.",
                _UNKNOWN_SET_EXAMPLE,
                _example(KINDS[LinkNotFound], "The labeling set has no such link.", {}),
            ),
            **_unavailable("The ledger is temporarily unavailable. Send the request again.", LedgerUnavailable),
        },
        _TAG,
    ),
}
