"""Find the rows of a table that describe the same thing, learned from labels: a local AWS Glue FindMatches.

The public names are those of `__all__`. Nothing uses the network or the clock, and only `Model.save` and `Model.load` use
files, and temporary ones tables above 200,000 rows. The same input and seed give the same output.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from findmatches import metrics
    from findmatches.active_learning import propose_labeling_sets
    from findmatches.confidence import WeakestLink
    from findmatches.evaluation import Evaluation, NotEnoughLabels, evaluate
    from findmatches.labels import InvalidLabels, Label
    from findmatches.matcher import Matcher, Matches, Model, find_matches
    from findmatches.model_files import InvalidModel
    from findmatches.runtime import Runtime
    from findmatches.settings import Settings
    from findmatches.table import InvalidTable, Table

__all__ = [
    "Evaluation",
    "InvalidLabels",
    "InvalidModel",
    "InvalidTable",
    "Label",
    "Matcher",
    "Matches",
    "Model",
    "NotEnoughLabels",
    "Runtime",
    "Settings",
    "Table",
    "WeakestLink",
    "evaluate",
    "find_matches",
    "metrics",
    "propose_labeling_sets",
]

_MODULE_OF = {
    "Evaluation": "evaluation",
    "InvalidLabels": "labels",
    "InvalidModel": "model_files",
    "InvalidTable": "table",
    "Label": "labels",
    "Matcher": "matcher",
    "Matches": "matcher",
    "Model": "matcher",
    "NotEnoughLabels": "evaluation",
    "Runtime": "runtime",
    "Settings": "settings",
    "Table": "table",
    "WeakestLink": "confidence",
    "evaluate": "evaluation",
    "find_matches": "matcher",
    "propose_labeling_sets": "active_learning",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562: the type depends on the name
    """Import a public name when it is first used: scikit-learn takes a second to load, and a Table does not need it."""
    if name == "metrics":
        return import_module("findmatches.metrics")
    if name in _MODULE_OF:
        return getattr(import_module(f"findmatches.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'findmatches' has no attribute {name!r}")
