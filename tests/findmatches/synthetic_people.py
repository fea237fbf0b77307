"""Synthetic people with known truth, and labels derived from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from findmatches import Label, Settings, Table, propose_labeling_sets

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
class LabeledTable:
    """A table and its truth: per row, the person that it is a record of."""

    table: Table
    truth: list[str]

    def answer(self, sets: Sequence[Sequence[int]], run: int = 0) -> list[Label]:
        """Labels for proposed sets."""
        return [
            Label(f"{run}-{number}", self.truth[row], str(self.table.keys[row]))
            for number, rows in enumerate(sets)
            for row in rows
        ]

    def labeled(self, runs: int, settings: Settings | None = None) -> list[Label]:
        """The labels after so many runs of proposing and labeling."""
        labels: list[Label] = []
        for run in range(runs):
            labels += self.answer(propose_labeling_sets(self.table, labels, settings or Settings()), run)
        return labels


def with_typo(text: str, random: Random) -> str:
    if len(text) < 2:
        return text
    place = random.randrange(len(text) - 1)
    kind = random.randrange(3)
    if kind == 0:
        return text[:place] + text[place + 1 :]
    if kind == 1:
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text[:place] + random.choice("abcdefghijklmnopqrstuvwxyz") + text[place + 1 :]


def synthetic_people(count: int, *, copies: float = 0.5, seed: int = 1) -> LabeledTable:
    """`count` people; a share of `copies` has a second record with two typos and sometimes a missing value."""
    random = Random(seed)  # noqa: S311 - synthetic records, nothing secret
    rows: list[tuple[list[str | None], str]] = []
    for number in range(count):
        person: list[str | None] = [
            random.choice(FIRST),
            random.choice(LAST),
            f"{random.randrange(1, 99)} {random.choice(LAST)} street",
            random.choice(TOWNS),
            f"{random.randrange(1930, 2005)}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}",
        ]
        rows.append((person, str(number)))
        if random.random() < copies:
            copy = list(person)
            for place in random.sample(range(4), 2):
                copy[place] = with_typo(copy[place] or "", random)
            if random.random() < 0.3:
                copy[random.randrange(5)] = None
            rows.append((copy, str(number)))
    random.shuffle(rows)
    names = ["first_name", "last_name", "address", "town", "born"]
    columns: dict[str, Sequence[str | None]] = {"id": [f"r{row}" for row in range(len(rows))]}
    columns |= {name: [cells[place] for cells, _ in rows] for place, name in enumerate(names)}
    return LabeledTable(Table(columns, "id"), [truth for _, truth in rows])


def precision_and_recall(groups: Sequence[str], truth: Sequence[str]) -> tuple[float, float]:
    """Precision and recall over pairs of rows."""
    pairs = [(left, right) for left in range(len(truth)) for right in range(left)]
    predicted = {pair for pair in pairs if groups[pair[0]] == groups[pair[1]]}
    actual = {pair for pair in pairs if truth[pair[0]] == truth[pair[1]]}
    correct = len(predicted & actual)
    return correct / max(len(predicted), 1), correct / max(len(actual), 1)
