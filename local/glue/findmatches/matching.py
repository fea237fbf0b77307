"""Which rows are the same thing, all settings, labels and known ids considered."""

from collections.abc import Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from local.glue.findmatches.clusters import average_linkage, groups, most_expected
from local.glue.findmatches.constraints import bind
from local.glue.findmatches.labels import LabelledPairs
from local.glue.findmatches.model import Chances, Model
from local.glue.findmatches.pipeline import Prepared, chances, learn_from, record_pairs
from local.glue.findmatches.settings import Settings
from local.glue.findmatches.table import Table

Indices = NDArray[np.int64]

# A label is this surely right: it outweighs doubt, but one slip of a finger does not outweigh identical rows.
_LABEL_IS_RIGHT = 0.99
_SURE = 1e-4
_SCORED_AT_ONCE = 200_000


def match_groups(
    prepared: Prepared | None,
    table: Table,
    labelled: LabelledPairs,
    settings: Settings,
    known: Sequence[str | None] | None,
) -> Indices:
    """A group number per row."""
    alone = prepared.record if prepared else _all_that_speak(table)
    record = np.where(alone < 0, alone.max(initial=0) + 1 + np.arange(len(table)), alone)
    bound = bind(record, known, labelled if settings.enforce_labels else None)
    if prepared is None:
        return bound.node
    pairs = record_pairs(prepared, labelled)
    model = learn_from(prepared, pairs, settings)
    left, right, likely = _told(prepared, _likely(prepared, model), pairs, _second_opinion(prepared, model, pairs))
    node = bound.node[prepared.row_of]
    size = np.maximum(np.bincount(node, minlength=len(bound.owner)), 1)
    merges = average_linkage(node[left], node[right], likely, size, bound)
    made = most_expected(merges, float(likely[node[left] != node[right]].sum()), settings.beta)
    return groups(len(bound.owner), merges, made)[bound.node]


def match_ids(group: Indices, known: Sequence[str | None] | None) -> list[str]:
    """Names for groups: the known id of their rows, else a number not in use, in the order of their first rows."""
    names = {number: name for number, name in zip(group.tolist(), known or [], strict=bool(known)) if name}
    used = set(names.values())
    fresh = (name for name in map(str, count()) if name not in used)
    for number in group.tolist():
        if number not in names:
            names[number] = next(fresh)
    return [names[number] for number in group.tolist()]


def _all_that_speak(table: Table) -> Indices:
    """One record for all rows that hold any value, which are then alike; -1 for the others."""
    speaks = np.zeros(len(table), np.bool_)
    for name in table.names:
        if name != table.primary_key:
            speaks |= np.fromiter((bool(cell and cell.strip()) for cell in table.columns[name]), np.bool_, len(table))
    return np.where(speaks, 0, -1).astype(np.int64)


def _likely(prepared: Prepared, model: Model | None) -> Chances:
    """Probability of a match per candidate pair, computed in parts so that memory stays bounded."""
    near = prepared.near
    parts = [np.zeros(0)]
    for start in range(0, len(near.left), _SCORED_AT_ONCE):
        part = slice(start, start + _SCORED_AT_ONCE)
        parts.append(chances(model, prepared.comparison.features(near.left[part], near.right[part])))
    return np.concatenate(parts)


def _second_opinion(prepared: Prepared, model: Model | None, pairs: LabelledPairs) -> Chances:
    """What the linear model thinks of the labelled pairs: the trees know them by heart, and would only repeat the labels."""
    features = prepared.comparison.features(pairs.left, pairs.right)
    return model.members(features)[0] if model and len(pairs) else chances(model, features)


def _told(prepared: Prepared, likely: Chances, pairs: LabelledPairs, second: Chances) -> tuple[Indices, Indices, Chances]:
    """The candidate pairs and the labelled ones, with what the labels say mixed into the model's opinion."""
    left, right, rows = prepared.near.left, prepared.near.right, len(prepared.row_of)
    keys = np.concatenate([left * rows + right, pairs.left * rows + pairs.right])
    shift = np.log(_LABEL_IS_RIGHT / (1 - _LABEL_IS_RIGHT)) * np.where(pairs.match, 1, -1)
    opinion = np.clip(np.concatenate([likely, second]), _SURE, 1 - _SURE)
    odds = np.log(opinion / (1 - opinion))
    odds[len(left) :] += shift
    # Of a pair that is both a candidate and labelled, the labelled one counts: it comes last.
    distinct, from_end = np.unique(keys[::-1], return_index=True)
    total = odds[::-1][from_end]
    return distinct // rows, distinct % rows, 1 / (1 + np.exp(-total))
