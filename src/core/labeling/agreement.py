"""How far labelers agree, and the labels on which they do.

Labels are compared as judgments on pairs of rows of a set, same or different: the names of groups mean nothing. Cohen's kappa
(Cohen, A coefficient of agreement for nominal scales, 1960) is the agreement beyond that by chance.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from core.labeling.answers import ALONE, UNSURE, Answer, Answers
from core.labeling.labeling_set_file import LabelingSetFile

Pair = tuple[int, int]


class PairAgreement(NamedTuple):
    """Two labelers: the pairs of rows on which both decided, on how many they agree, and kappa, None where it is undefined."""

    labelers: tuple[str, str]
    compared: int
    agreed: int
    kappa: float | None


class Disagreement(NamedTuple):
    """Two rows, who says that they are the same, and who says that they are different."""

    rows: Pair
    same: tuple[str, ...]
    different: tuple[str, ...]


class Agreement(NamedTuple):
    """`consensus` has the answers that all agree on, in the sets that two labelers or more have answered."""

    pairs: list[PairAgreement]
    disagreements: list[Disagreement]
    consensus: dict[int, Answer]


def compare(answers: Mapping[str, Answers], file: LabelingSetFile) -> Agreement:
    """Compare the labelers' answers, by labeler."""
    judgments = {labeler: _judgments(own, file) for labeler, own in answers.items()}
    pairs = [_agreement(one, two, judgments) for one, two in combinations(sorted(judgments), 2)]
    disagreements = _disagreements(judgments)
    consensus: dict[int, Answer] = {}
    for rows in file.rows_by_set.values():
        consensus |= _consensus(rows, answers, {each.rows for each in disagreements})
    return Agreement(pairs, disagreements, consensus)


def _judgments(answers: Answers, file: LabelingSetFile) -> dict[Pair, bool]:
    """Pair of rows of a set -> whether the labeler says that they are the same."""
    return {
        pair: answers[pair[0]] == answers[pair[1]] != ALONE
        for rows in file.rows_by_set.values()
        for pair in combinations(_decided(answers, rows), 2)
    }


def _decided(answers: Answers, rows: Sequence[int]) -> list[int]:
    return [row for row in rows if answers.get(row, UNSURE) != UNSURE]


def _agreement(one: str, two: str, judgments: Mapping[str, Mapping[Pair, bool]]) -> PairAgreement:
    ours, theirs = judgments[one], judgments[two]
    shared = ours.keys() & theirs.keys()
    agreed = sum(ours[pair] == theirs[pair] for pair in shared)
    if not shared:
        return PairAgreement((one, two), 0, 0, None)
    same_by_one, same_by_two = (sum(each[pair] for pair in shared) / len(shared) for each in (ours, theirs))
    by_chance = same_by_one * same_by_two + (1 - same_by_one) * (1 - same_by_two)
    observed = agreed / len(shared)
    kappa = None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)
    return PairAgreement((one, two), len(shared), agreed, kappa)


def _disagreements(judgments: Mapping[str, Mapping[Pair, bool]]) -> list[Disagreement]:
    listed = []
    for pair in sorted({pair for own in judgments.values() for pair in own}):
        said = {labeler: own[pair] for labeler, own in sorted(judgments.items()) if pair in own}
        if len(set(said.values())) > 1:
            same, different = (tuple(name for name, says in said.items() if says is wanted) for wanted in (True, False))
            listed.append(Disagreement(pair, same, different))
    return listed


def _consensus(rows: Sequence[int], answers: Mapping[str, Answers], disputed: set[Pair]) -> dict[int, Answer]:
    """The answers for one set; of rows in dispute, as few as possible are left out: first those with the most disputes."""
    deciders = [own for own in answers.values() if len(_decided(own, rows)) > 1]
    if len(deciders) < 2:  # noqa: PLR2004  of one labeler alone, nothing is agreed
        return {}
    agreed = set.intersection(*(set(_decided(own, rows)) for own in deciders))
    while disputes := Counter(row for pair in disputed if agreed.issuperset(pair) for row in pair):
        agreed.discard(max(sorted(disputes), key=disputes.__getitem__))
    return {row: answer for row, answer in deciders[0].items() if row in agreed}
