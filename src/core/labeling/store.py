"""Labeling sets, answers and links in the ledger: keys, retention, and typed documents."""

from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from core.labeling.ports import Document, LabelingDependencies
from core.labeling.records import AnswersRecord, Link, SetRecord
from core.views import View

Record = TypeVar("Record", bound=View)


class Stored(NamedTuple, Generic[Record]):
    """A record and its revision."""

    record: Record
    revision: str


def load_set(set_id: str, deps: LabelingDependencies) -> Stored[SetRecord] | None:
    return _read(_set_key(set_id), SetRecord, deps)


def save_set(record: SetRecord, expected: str | None, deps: LabelingDependencies) -> Stored[SetRecord]:
    """Raises StaleDocument."""
    return Stored(record, _write(_set_key(record.id), record, expected, _forgotten_on(deps), deps))


def load_answers(set_id: str, labeler: str, deps: LabelingDependencies) -> Stored[AnswersRecord] | None:
    return _read(_answers_key(set_id, labeler), AnswersRecord, deps)


def save_answers(set_id: str, record: AnswersRecord, expected: str | None, deps: LabelingDependencies) -> str:
    """The new revision. Raises StaleDocument."""
    return _write(_answers_key(set_id, record.labeler), record, expected, _forgotten_on(deps), deps)


def load_link(link_id: str, deps: LabelingDependencies) -> Stored[Link] | None:
    return _read(_link_key(link_id), Link, deps)


def save_link(link: Link, expected: str | None, deps: LabelingDependencies) -> None:
    """Raises StaleDocument."""
    _write(_link_key(link.link_id), link, expected, link.expires_on, deps)


def parse_document(document: Document, record_type: type[Record]) -> Stored[Record]:
    return Stored(record_type.model_validate_json(document.text), document.revision)


def _set_key(set_id: str) -> str:
    return f"set#{set_id}"


def _answers_key(set_id: str, labeler: str) -> str:
    return f"answers#{set_id}#{labeler}"


def _link_key(link_id: str) -> str:
    return f"link#{link_id}"


def _forgotten_on(deps: LabelingDependencies) -> datetime:
    return deps.runs.clock() + deps.runs.policy.retention


def _read(key: str, record_type: type[Record], deps: LabelingDependencies) -> Stored[Record] | None:
    document = deps.documents.read(key)
    return None if document is None else parse_document(document, record_type)


def _write(key: str, record: View, expected: str | None, expires_on: datetime, deps: LabelingDependencies) -> str:
    return deps.documents.write(key, record.model_dump_json(by_alias=True, exclude_none=True), expected, expires_on)
