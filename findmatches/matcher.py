"""The front: learn from a table and its labels once, then match this table or others with what was learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from findmatches.columns import ColumnKind
from findmatches.confidence import ComparedPairs, WeakestLink, row_confidence, weakest_links
from findmatches.labels import NO_PAIRS, Label, LabeledPairs, check_labels, labeled_pairs
from findmatches.learned_pairs import LearnedPairs, learned_pairs, trained_pairs
from findmatches.matching import groups_of_equal_rows, match_ids, scored_groups, with_labels
from findmatches.model_files import labels_digest, read_model, write_model
from findmatches.preparation import PreparedTable, prepare, record_pairs
from findmatches.runtime import DEFAULT_RUNTIME, Runtime
from findmatches.scoring import PairScorer, ScoredPairs, score, score_with
from findmatches.settings import Settings
from findmatches.table import Table


@dataclass(frozen=True)
class Matches:
    """The groups of a table's rows.

    `match_id`: one per row, in the order of the rows; rows that are the same thing share it.
    `match_confidence`: how surely each row belongs to its group, 0..1; shape (rows,). In a group of several rows it is the
    mean probability of the row's compared pairs within the group; for a row alone, the probability that its best pair
    does not match.
    `weakest_link`: by match id, the pair that holds the group together most weakly. It is absent for a single row, and where
    only known match ids or enforced labels tie the rows.
    `mergeable`: sets of known match ids whose rows the matching would put into one group, each sorted. They stay apart,
    because a known id is kept.
    """

    match_id: list[str]
    match_confidence: NDArray[np.float64]
    weakest_link: dict[str, WeakestLink]
    mergeable: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.match_id)


@dataclass(frozen=True)
class Model:
    """What was learned from a table and its labels.

    `labels_digest`, a SHA-256, tells which labels the model was fitted with. `columns` are compared as they were when the
    model was fitted; None if that table's rows were all alike. Of the rows themselves a model keeps digests only: a label
    also counts as evidence for its own two rows, in any table that holds both with the same primary key and values.
    """

    settings: Settings
    columns: tuple[ColumnKind, ...] | None
    scorer: PairScorer | None
    learned: LearnedPairs
    labels_digest: str
    _fitted: "_ScoredTable | None" = field(default=None, compare=False, repr=False)

    def match(self, table: Table, known: Sequence[str | None] | None = None, *, runtime: Runtime = DEFAULT_RUNTIME) -> Matches:
        """The groups of the table's rows. Neither the order of the rows nor the `runtime` changes an id or a confidence.

        `known`: the match id that each row already has, or None; those rows keep it, and others may join them. A new id is
        derived from its group's smallest primary key.

        Raises InvalidTable if the table cannot be matched or lacks a column that the model compares, ValueError if `known`
        has another length.
        """
        if self._fitted is not None and self._fitted.table is table:
            return _matches(self._fitted, self.settings, known)
        table.validate()
        return _matches(self._score(table, runtime), self.settings, known)

    def save(self, folder: str | Path) -> None:
        """Writes `model.json` and one `.npy` file per array; replaces a model that the folder holds."""
        write_model(Path(folder), (self.settings, self.columns, self.scorer, self.learned, self.labels_digest))

    @staticmethod
    def load(folder: str | Path) -> "Model":
        """The model that `save` wrote. Raises InvalidModel if there is none, or one of another version, or a damaged one."""
        return Model(*read_model(Path(folder)))

    def _score(self, table: Table, runtime: Runtime) -> "_ScoredTable":
        ordered, order = table.in_key_order()
        columns = _compared_names(ordered) if self.columns is None else [kind.name for kind in self.columns]
        with runtime.exchange(len(table)) as exchange:
            prepared = prepare(ordered, self.settings, exchange, kinds=self.columns, has_labels=self.learned.labeled > 0)
            trained = self.learned.in_table(ordered, columns)
            if prepared is None:
                return _ScoredTable(table, ordered, order, None, None, trained.labels)
            scored = score_with(prepared, self.scorer, trained.evidence(prepared))
        return _ScoredTable(table, ordered, order, prepared.without_blocks(), scored, trained.labels)


@dataclass(frozen=True)
class Matcher:
    """Learns a Model from a table and its labels."""

    settings: Settings = field(default_factory=Settings)

    def fit(self, table: Table, labels: Sequence[Label], *, runtime: Runtime = DEFAULT_RUNTIME) -> Model:
        """Learns from the table's own structure and from the labels, which may be none.

        The same table, labels and settings give the same model, whatever the order of the rows and the `runtime`. The model
        remembers the scores of this very table, so that matching it costs little more; `save` leaves them out.

        Raises InvalidTable if the table cannot be matched, InvalidLabels if a label is blank or its row is not in the table.
        """
        table.validate()
        check_labels(table, labels)
        ordered, order = table.in_key_order()
        labeled = labeled_pairs(ordered, labels)
        with runtime.exchange(len(table)) as exchange:
            prepared = prepare(ordered, self.settings, exchange, has_labels=len(labeled) > 0)
            if prepared is None:
                trained, kinds, scored = trained_pairs(labeled, None, None), None, None
            else:
                scored = score(prepared, record_pairs(prepared, labeled), NO_PAIRS, self.settings)
                trained = trained_pairs(labeled, prepared, scored.evidence)
                kinds = prepared.kinds
                prepared = prepared.without_blocks()
        names = _compared_names(ordered) if kinds is None else [kind.name for kind in kinds]
        return Model(
            self.settings,
            kinds,
            scored.scorer if scored else None,
            learned_pairs(ordered, names, trained),
            labels_digest(labels),
            _ScoredTable(table, ordered, order, prepared, scored, labeled),
        )


def find_matches(
    table: Table,
    labels: Sequence[Label],
    settings: Settings,
    *,
    known: Sequence[str | None] | None = None,
    runtime: Runtime = DEFAULT_RUNTIME,
) -> list[str]:
    """A match id per row, in the order of the rows; rows that are the same thing share it. Labels of other rows are ignored.

    `known`: the match id that each row already has, or None; those rows keep it, and others may join them. A new id is
    derived from its group's smallest primary key. Neither the order of the rows nor the `runtime` changes an id.

    Raises InvalidTable if the table cannot be matched, InvalidLabels if a label is blank, ValueError if `known` has another
    length.
    """
    table.validate()
    _check_known(table, known)
    keys = set(table.keys)
    model = Matcher(settings).fit(table, [label for label in labels if label.key in keys], runtime=runtime)
    return model.match(table, known).match_id


@dataclass(frozen=True)
class _ScoredTable:
    """A table, the same rows in the order of their keys, the row number there of each, and what their pairs score.

    `prepared` and `scored` are None where there is nothing to compare. `labels` are labeled pairs of the ordered rows.
    """

    table: Table
    ordered: Table
    order: list[int]
    prepared: PreparedTable | None
    scored: ScoredPairs | None
    labels: LabeledPairs


def _matches(scored_table: _ScoredTable, settings: Settings, known: Sequence[str | None] | None) -> Matches:
    ordered, order = scored_table.ordered, scored_table.order
    _check_known(ordered, known)
    known_in_order = None if known is None else [known[row] for row in order]
    enforced = scored_table.labels if settings.enforce_labels else None
    prepared, scored = scored_table.prepared, scored_table.scored
    mergeable: tuple[tuple[str, ...], ...] = ()
    if prepared is None or scored is None:
        group = groups_of_equal_rows(ordered, known_in_order, enforced)
        compared = ComparedPairs(np.arange(len(ordered)), *(np.zeros(0, np.int64),) * 2, np.zeros(0))
    else:
        pairs = record_pairs(prepared, scored_table.labels)
        group = scored_groups(prepared, scored, pairs, settings, enforced=enforced, known=known_in_order)
        if known_in_order:
            free = scored_groups(
                prepared, scored, pairs, settings, enforced=enforced, known=known_in_order, known_may_merge=True
            )
            mergeable = _ids_in_one_group(free, known_in_order)
        compared = ComparedPairs(prepared.record, scored.left, scored.right, with_labels(scored, pairs))
    keys = [str(key) for key in ordered.keys]
    ids = match_ids(group, keys, known_in_order)
    confidence = np.empty(len(ordered))
    confidence[order] = row_confidence(compared, group)
    match_id = [""] * len(ordered)
    for row, name in zip(order, ids, strict=True):
        match_id[row] = name
    id_of_group = dict(zip(group.tolist(), ids, strict=True))
    links = {id_of_group[number]: link for number, link in weakest_links(compared, group, keys).items()}
    return Matches(match_id, confidence, links, mergeable)


def _ids_in_one_group(group: NDArray[np.int64], known: Sequence[str | None]) -> tuple[tuple[str, ...], ...]:
    ids_of_group: dict[int, set[str]] = {}
    for number, match_id in zip(group.tolist(), known, strict=True):
        if match_id:
            ids_of_group.setdefault(number, set()).add(match_id)
    return tuple(sorted(tuple(sorted(ids)) for ids in ids_of_group.values() if len(ids) > 1))


def _check_known(table: Table, known: Sequence[str | None] | None) -> None:
    if known is None:
        return
    if len(known) != len(table):
        raise ValueError(f"There are {len(known)} known match ids for {len(table)} rows.")
    if isinstance(known, Mapping):
        raise TypeError("The known match ids are a mapping; pass one id, or None, per row.")
    for row, match_id in enumerate(known, start=1):
        _check_id(row, match_id)


def _check_id(row: int, match_id: object) -> None:
    if match_id is not None and not isinstance(match_id, str):
        raise ValueError(f"Row {row}: its known match id is no text.")


def _compared_names(table: Table) -> list[str]:
    return [name for name in table.names if name != table.primary_key]
