"""Find the rows of a table that describe the same thing, learned from labels: a local AWS Glue FindMatches.

The public names are those of `__all__`. All functions are pure: no files, no network, no clock. The same input and seed
give the same output.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from findmatches import metrics
    from findmatches.active_learning import propose_labeling_sets
    from findmatches.evaluation import Evaluation, NotEnoughLabels, evaluate
    from findmatches.labels import Label
    from findmatches.matching import find_matches
    from findmatches.settings import Settings
    from findmatches.table import InvalidTable, Table

__all__ = [
    "Evaluation",
    "InvalidTable",
    "Label",
    "NotEnoughLabels",
    "Settings",
    "Table",
    "evaluate",
    "find_matches",
    "metrics",
    "propose_labeling_sets",
]

_MODULE_OF = {
    "Evaluation": "evaluation",
    "InvalidTable": "table",
    "Label": "labels",
    "NotEnoughLabels": "evaluation",
    "Settings": "settings",
    "Table": "table",
    "evaluate": "evaluation",
    "find_matches": "matching",
    "propose_labeling_sets": "active_learning",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562: the type depends on the name
    """Import a public name when it is first used: scikit-learn takes a second to load, and a Table does not need it."""
    if name == "metrics":
        return import_module("findmatches.metrics")
    if name in _MODULE_OF:
        return getattr(import_module(f"findmatches.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'findmatches' has no attribute {name!r}")
