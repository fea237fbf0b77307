"""Made-up records with known truth, and a person who answers labeling sets from it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from findmatches.matcher import Label, Settings, propose_labeling_sets
from findmatches.table import Table

FIRST = [
    "anna",
    "ben",
    "carla",
    "david",
    "emma",
    "felix",
    "greta",
    "hugo",
    "ida",
    "jonas",
    "klara",
    "leo",
    "maria",
    "nils",
    "olga",
    "paul",
    "rosa",
    "stefan",
    "tina",
    "uwe",
]
LAST = [
    "mueller",
    "schmidt",
    "fischer",
    "weber",
    "wagner",
    "becker",
    "hoffmann",
    "koch",
    "richter",
    "klein",
    "wolf",
    "neumann",
    "braun",
    "zimmer",
    "krueger",
]
TOWNS = ["berlin", "hamburg", "munich", "cologne", "frankfurt", "stuttgart", "leipzig", "dresden", "bremen", "hanover"]


@dataclass(frozen=True)
class Known:
    """A table and, per row, what it is a record of."""

    table: Table
    truth: list[str]

    def answer(self, sets: Sequence[Sequence[int]], run: int = 0) -> list[Label]:
        return [
            Label(f"{run}-{number}", self.truth[row], str(self.table.keys[row]))
            for number, rows in enumerate(sets)
            for row in rows
        ]

    def labeled(self, runs: int, settings: Settings | None = None) -> list[Label]:
        """What is known after so many rounds of asking and answering."""
        labels: list[Label] = []
        for run in range(runs):
            labels += self.answer(propose_labeling_sets(self.table, labels, settings or Settings()), run)
        return labels


def with_a_typo(text: str, chance: random.Random) -> str:
    if len(text) < 2:
        return text
    place = chance.randrange(len(text) - 1)
    kind = chance.randrange(3)
    if kind == 0:
        return text[:place] + text[place + 1 :]
    if kind == 1:
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text[:place] + chance.choice("abcdefghijklmnopqrstuvwxyz") + text[place + 1 :]


def made_up_people(count: int, *, copies: float = 0.5, seed: int = 1) -> Known:
    """`count` people; a share of `copies` has a second record with two typos and sometimes a missing value."""
    chance = random.Random(seed)  # noqa: S311 - made-up records, nothing secret
    rows: list[tuple[list[str | None], str]] = []
    for number in range(count):
        person: list[str | None] = [
            chance.choice(FIRST),
            chance.choice(LAST),
            f"{chance.randrange(1, 99)} {chance.choice(LAST)} street",
            chance.choice(TOWNS),
            f"{chance.randrange(1930, 2005)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
        ]
        rows.append((person, str(number)))
        if chance.random() < copies:
            copy = list(person)
            for place in chance.sample(range(4), 2):
                copy[place] = with_a_typo(copy[place] or "", chance)
            if chance.random() < 0.3:
                copy[chance.randrange(5)] = None
            rows.append((copy, str(number)))
    chance.shuffle(rows)
    names = ["first_name", "last_name", "address", "town", "born"]
    columns: dict[str, Sequence[str | None]] = {"id": [f"r{row}" for row in range(len(rows))]}
    columns |= {name: [cells[place] for cells, _ in rows] for place, name in enumerate(names)}
    return Known(Table(columns, "id"), [truth for _, truth in rows])


def precision_and_recall(groups: Sequence[str], truth: Sequence[str]) -> tuple[float, float]:
    """Precision and recall over pairs of rows."""
    pairs = [(one, other) for one in range(len(truth)) for other in range(one)]
    said = {pair for pair in pairs if groups[pair[0]] == groups[pair[1]]}
    true = {pair for pair in pairs if truth[pair[0]] == truth[pair[1]]}
    return len(said & true) / max(len(said), 1), len(said & true) / max(len(true), 1)
