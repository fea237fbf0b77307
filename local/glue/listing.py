"""Filtering, sorting and paging of GetMLTaskRuns, GetMLTransforms and ListMLTransforms.

A page token holds the sort position of the page's last item instead of an offset, so runs that start between two pages
neither hide nor repeat a run (keyset pagination).
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Generic, TypeVar

from local.glue.errors import invalid_input
from local.glue.task_runs import TaskRun
from local.glue.transform_store import StoredTransform

PAGE_SIZE = 100
Item = TypeVar("Item")
Position = tuple[str | float, int]


@dataclass(frozen=True)
class Page(Generic[Item]):
    items: Sequence[Item]
    next_token: str | None


RUN_COLUMNS: Mapping[str, Callable[[TaskRun], str | float]] = {
    "TASK_RUN_TYPE": lambda run: run.kind,
    "STATUS": lambda run: run.status,
    "STARTED": lambda run: run.started_on,
}
TRANSFORM_COLUMNS: Mapping[str, Callable[[StoredTransform], str | float]] = {
    "NAME": lambda transform: str(transform.document["Name"]),
    "TRANSFORM_TYPE": lambda transform: str(transform.document["Parameters"]["TransformType"]),
    "STATUS": lambda transform: str(transform.document["Status"]),
    "CREATED": lambda transform: float(transform.document["CreatedOn"]),
    "LAST_MODIFIED": lambda transform: float(transform.document["LastModifiedOn"]),
}


def list_runs_page(runs: Sequence[TaskRun], request: Mapping[str, Any]) -> Page[TaskRun]:
    """A page of runs that have passed the filter, newest first unless `Sort` says otherwise.

    Raises GlueError for a token of another query.
    """
    sort = request.get("Sort", {"Column": "STARTED", "SortDirection": "DESCENDING"})
    column = RUN_COLUMNS[sort["Column"]]
    return _page(runs, lambda run: (column(run), run.sequence), sort["SortDirection"], request)


def list_transforms_page(transforms: Sequence[StoredTransform], request: Mapping[str, Any]) -> Page[StoredTransform]:
    """A page, newest first unless `Sort` says otherwise. Raises GlueError for a token of another query."""
    tags = request.get("Tags", {})
    matching = [
        transform
        for transform in transforms
        if _transform_passes(transform.document, request.get("Filter", {})) and tags.items() <= transform.tags.items()
    ]
    sort = request.get("Sort", {"Column": "CREATED", "SortDirection": "DESCENDING"})
    column = TRANSFORM_COLUMNS[sort["Column"]]
    return _page(matching, lambda transform: (column(transform), transform.sequence), sort["SortDirection"], request)


def _transform_passes(document: Mapping[str, Any], criteria: Mapping[str, Any]) -> bool:
    return (
        all(criteria.get(name, document[name]) == document[name] for name in ("Name", "Status", "GlueVersion"))
        and criteria.get("TransformType", "FIND_MATCHES") == document["Parameters"]["TransformType"]
        and _between(document["CreatedOn"], criteria, "Created")
        and _between(document["LastModifiedOn"], criteria, "LastModified")
        and ("Schema" not in criteria or _columns(criteria["Schema"]) == _columns(document["Schema"]))
    )


def _between(when: float, criteria: Mapping[str, Any], name: str) -> bool:
    return bool(criteria.get(f"{name}After", float("-inf")) < when < criteria.get(f"{name}Before", float("inf")))


def _columns(schema: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    return sorted((column.get("Name", ""), column.get("DataType", "")) for column in schema)


def _page(
    items: Sequence[Item], position: Callable[[Item], Position], direction: str, request: Mapping[str, Any]
) -> Page[Item]:
    descending = direction == "DESCENDING"
    ordered = sorted(items, key=position, reverse=descending)
    if "NextToken" in request:
        after = _decode_token(request["NextToken"], request)
        ordered = [item for item in ordered if (position(item) < after if descending else position(item) > after)]
    size = request.get("MaxResults", PAGE_SIZE)
    page = ordered[:size]
    return Page(page, _encode_token(position(page[-1]), request) if len(ordered) > size else None)


def _encode_token(position: Position, request: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([*position, _query_hash(request)]).encode()).decode()


def _decode_token(token: str, request: Mapping[str, Any]) -> Position:
    try:
        value, order, query = json.loads(base64.urlsafe_b64decode(token.encode()))
        is_same_query = query == _query_hash(request)
    except (ValueError, TypeError, binascii.Error) as error:
        raise invalid_input("The pagination token is not valid.") from error
    if not is_same_query or not isinstance(order, int):
        raise invalid_input("The pagination token belongs to another query.")
    return value, order


def _query_hash(request: Mapping[str, Any]) -> str:
    """A hash of what must not change between pages; MaxResults may."""
    fixed = {name: value for name, value in request.items() if name not in ("NextToken", "MaxResults")}
    return sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:16]
