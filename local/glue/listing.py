"""Filters, sorts and pages of GetMLTaskRuns, GetMLTransforms and ListMLTransforms.

A page ends at an item, not at a number: its token holds that item's place in the order, so that runs which start
between two pages neither hide nor repeat a run.
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
Place = tuple[str | float, int]


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


def page_of_runs(runs: Sequence[TaskRun], asked: Mapping[str, Any]) -> Page[TaskRun]:
    """Of runs that pass the filter: newest first unless `Sort` says otherwise.

    Raises GlueError for a token that is not of this query.
    """
    sort = asked.get("Sort", {"Column": "STARTED", "SortDirection": "DESCENDING"})
    column = RUN_COLUMNS[sort["Column"]]
    return _page(runs, lambda run: (column(run), run.order), sort["SortDirection"], asked)


def page_of_transforms(transforms: Sequence[StoredTransform], asked: Mapping[str, Any]) -> Page[StoredTransform]:
    """Newest first unless `Sort` says otherwise. Raises GlueError for a token that is not of this query."""
    tags = asked.get("Tags", {})
    kept = [
        transform
        for transform in transforms
        if _transform_passes(transform.document, asked.get("Filter", {})) and tags.items() <= transform.tags.items()
    ]
    sort = asked.get("Sort", {"Column": "CREATED", "SortDirection": "DESCENDING"})
    column = TRANSFORM_COLUMNS[sort["Column"]]
    return _page(kept, lambda transform: (column(transform), transform.position), sort["SortDirection"], asked)


def _transform_passes(document: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return (
        all(wanted.get(name, document[name]) == document[name] for name in ("Name", "Status", "GlueVersion"))
        and wanted.get("TransformType", "FIND_MATCHES") == document["Parameters"]["TransformType"]
        and _between(document["CreatedOn"], wanted, "Created")
        and _between(document["LastModifiedOn"], wanted, "LastModified")
        and ("Schema" not in wanted or _columns(wanted["Schema"]) == _columns(document["Schema"]))
    )


def _between(when: float, wanted: Mapping[str, Any], name: str) -> bool:
    return bool(wanted.get(f"{name}After", float("-inf")) < when < wanted.get(f"{name}Before", float("inf")))


def _columns(schema: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    return sorted((column.get("Name", ""), column.get("DataType", "")) for column in schema)


def _page(items: Sequence[Item], place: Callable[[Item], Place], direction: str, asked: Mapping[str, Any]) -> Page[Item]:
    descending = direction == "DESCENDING"
    ordered = sorted(items, key=place, reverse=descending)
    if "NextToken" in asked:
        after = _opened(asked["NextToken"], asked)
        ordered = [item for item in ordered if (place(item) < after if descending else place(item) > after)]
    size = asked.get("MaxResults", PAGE_SIZE)
    page = ordered[:size]
    return Page(page, _sealed(place(page[-1]), asked) if len(ordered) > size else None)


def _sealed(place: Place, asked: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([*place, _query(asked)]).encode()).decode()


def _opened(token: str, asked: Mapping[str, Any]) -> Place:
    try:
        value, order, query = json.loads(base64.urlsafe_b64decode(token.encode()))
        mine = query == _query(asked)
    except (ValueError, TypeError, binascii.Error) as error:
        raise invalid_input("The pagination token is not valid.") from error
    if not mine or not isinstance(order, int):
        raise invalid_input("The pagination token belongs to another query.")
    return value, order


def _query(asked: Mapping[str, Any]) -> str:
    """What must stay the same from page to page; the page's size may change."""
    same = {name: value for name, value in asked.items() if name not in ("NextToken", "MaxResults")}
    return sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]
