"""Tables of made-up records with known truth, of the kinds that are hard for a matcher. The same arguments, the same table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from findmatches.table import Table

Row = list[str | None]


@dataclass(frozen=True)
class Known:
    """A table and, per row, what it is a record of."""

    name: str
    table: Table
    truth: list[str]


def shuffled(name: str, columns: Sequence[str], rows: list[tuple[Row, str]], chance: Random) -> Known:
    chance.shuffle(rows)
    cells: dict[str, Sequence[str | None]] = {"pk": [f"p{number}" for number in range(len(rows))]}
    cells |= {column: [row[place] for row, _ in rows] for place, column in enumerate(columns)}
    return Known(name, Table(cells, "pk"), [truth for _, truth in rows])


def words(chance: Random, count: int, syllables: tuple[int, int]) -> list[str]:
    """Pronounceable words, distinct."""
    parts = [consonant + vowel for consonant in "bcdfghjklmnprstvwz" for vowel in "aeiou"]
    ends = ["", "", "n", "r", "s", "l", "x", "t"]
    made: dict[str, None] = {}
    while len(made) < count:
        made["".join(chance.choices(parts, k=chance.randint(*syllables))) + chance.choice(ends)] = None
    return list(made)


def typo(text: str, chance: Random) -> str:
    if len(text) < 3:
        return text
    place = chance.randrange(len(text) - 1)
    kind = chance.randrange(4)
    letter = chance.choice("abcdefghijklmnopqrstuvwxyz") if not text[place].isdigit() else chance.choice("0123456789")
    return (
        text[:place] + text[place + 1 :],
        text[:place] + text[place + 1] + text[place] + text[place + 2 :],
        text[:place] + letter + text[place + 1 :],
        text[:place] + letter + text[place:],
    )[kind]


def products(count: int, seed: int = 0) -> Known:
    """Two shops' listings of consumer goods: own wording, model codes written differently or left out, prices apart, many
    near variants (color, size) that are different things; the second shop often has no description or price.
    """
    chance = Random(seed)  # noqa: S311 - made-up records are no secrets
    brands = [word.capitalize() for word in words(chance, 40, (2, 3))]
    kinds = [" ".join(chance.sample(words(chance, 120, (2, 3)), 2)) for _ in range(45)]
    adjectives = words(chance, 150, (2, 4))
    colors = ["black", "white", "silver", "red", "blue", "graphite", "stainless steel"]
    rows: list[tuple[Row, str]] = []
    for family in range(count // 2):
        brand, kind = chance.choice(brands), chance.choice(kinds)
        letters = "".join(chance.choices("ABCDEFGHKLMNPRSTVX", k=chance.randint(1, 4)))
        number = chance.randrange(10, 9999)
        about = chance.sample(adjectives, chance.randint(6, 25))
        base = chance.uniform(10, 900)
        for variant in range(chance.choice([1, 1, 2, 3])):
            color = chance.choice(colors)
            model = f"{letters}{number + variant * chance.choice([1, 5, 10, 100])}{chance.choice(['', '', 'B', 'S', 'W'])}"
            truth = f"{family}-{variant}"
            title = f"{brand} {kind} - {model}/ {color} finish"
            first: Row = [title, f"{brand} {kind} - {model}/ {' '.join(about)}/ {color}", None]
            if chance.random() < 0.45:
                first[2] = f"${base * chance.uniform(0.98, 1.02):,.2f}"
            in_first = chance.random()
            if in_first < 0.78:
                rows.append((first, truth))
            if in_first > 0.3:
                written = model if chance.random() < 0.5 else f"{letters}-{model[len(letters) :]}"
                if chance.random() < 0.12:
                    written = ""
                heard = chance.sample(kind.split() + about[:4], chance.randint(1, 4))
                pieces = [brand, *heard, written, color if chance.random() < 0.5 else ""]
                if chance.random() < 0.4:
                    pieces = [brand, written, *heard]
                sold: Row = [" ".join(filter(None, pieces)), None, None]
                if chance.random() < 0.6:
                    sold[1] = " ".join(chance.sample(about, len(about) // 3) + chance.sample(adjectives, 4))
                if chance.random() < 0.5:
                    sold[2] = f"{base * chance.uniform(0.7, 1.15):.2f}"
                rows.append((sold, truth))
    return shuffled("made-up products", ["name", "description", "price"], rows, chance)


def software(count: int, seed: int = 0) -> Known:
    """Titles with versions and editions, makers often missing; a large catalog that holds a match for a part only, and
    sometimes several for one.
    """
    chance = Random(seed)  # noqa: S311 - made-up records are no secrets
    makers = words(chance, 60, (2, 3))
    nouns = words(chance, 260, (2, 3))
    editions = ["standard", "professional", "deluxe", "upgrade", "home", "premium", "5 user", "academic"]
    systems = ["win", "mac", "win/mac", "windows xp/vista", ""]
    rows: list[tuple[Row, str]] = []
    for line in range(count // 3):
        maker = chance.choice(makers)
        title = " ".join(chance.sample(nouns, chance.randint(1, 3)))
        for version in chance.sample(range(1, 13), chance.choice([1, 1, 2, 3])):
            edition = chance.choice(editions)
            price = chance.choice([19.99, 29.95, 49.99, 99.0, 199.0, 499.0]) * chance.uniform(0.97, 1.03)
            truth = f"{line}-{version}-{edition}"
            copies = chance.choice([0, 0, 0, 1, 1, 2])
            if chance.random() < 0.6 or not copies:
                rows.append(([f"{title} {version}.0 {edition} {chance.choice(systems)}".strip(), maker, f"{price:.2f}"], truth))
            for _ in range(copies):
                number = chance.choice([f"{version}", f"{version}.0", f"v{version}"])
                parts = [maker if chance.random() < 0.6 else "", title, number, chance.choice([edition, edition[:4], ""])]
                code = str(chance.randrange(10**7, 10**8)) if chance.random() < 0.4 else ""
                who = maker if chance.random() < 0.15 else None
                cost = f"{price * chance.uniform(0.6, 1.1):.2f}"
                rows.append(([" ".join(filter(None, [code, *parts, chance.choice(systems)])), who, cost], truth))
    return shuffled("made-up software", ["title", "manufacturer", "price"], rows, chance)


def few_columns(count: int, seed: int = 0) -> Known:
    """People as names, town and year of birth only; up to five records each, names with typos, initials and nicknames."""
    chance = Random(seed)  # noqa: S311 - made-up records are no secrets
    first, last, towns = words(chance, 150, (1, 3)), words(chance, 700, (2, 3)), words(chance, 60, (2, 4))
    rows: list[tuple[Row, str]] = []
    for person in range(count // 2):
        given = first[min(int(chance.expovariate(1 / 35)), len(first) - 1)]
        family = last[min(int(chance.expovariate(1 / 180)), len(last) - 1)]
        town, year = chance.choice(towns), str(chance.randrange(1930, 2005))
        for _ in range(chance.choice([1, 1, 1, 2, 2, 3, 5])):
            row: Row = [given, family, town, year]
            if chance.random() < 0.3:
                row[0] = typo(given, chance)
            if chance.random() < 0.1:
                row[0] = given[0]
            if chance.random() < 0.3:
                row[1] = typo(family, chance)
            if chance.random() < 0.1:
                row[2] = None
            if chance.random() < 0.1:
                row[2] = chance.choice(towns)
            if chance.random() < 0.12:
                row[3] = typo(year, chance)
            if chance.random() < 0.03:
                row[0], row[1] = row[1], row[0]
            rows.append((row, str(person)))
    return shuffled("made-up people, few columns", ["first", "last", "town", "year"], rows, chance)


def long_text(count: int, seed: int = 0) -> Known:
    """Articles of 60 to 300 words and their reworded, cut or extended copies, among others on the same topic."""
    chance = Random(seed)  # noqa: S311 - made-up records are no secrets
    common, rare = words(chance, 300, (1, 2)), words(chance, 6000, (2, 4))
    rows: list[tuple[Row, str]] = []
    for topic in range(count // 8):
        jargon = chance.sample(rare, 40)
        for article in range(5):
            special = chance.sample(rare, 12)
            size = chance.randint(60, 300)
            body = [chance.choice(chance.choices([common, jargon, special], [6, 3, 1])[0]) for _ in range(size)]
            head = chance.sample(jargon, 3) + chance.sample(special, 2)
            for _ in range(chance.choice([1, 1, 2, 3])):
                kept = [word for word in body if chance.random() < 0.75]
                start = chance.randrange(max(1, len(kept) // 3))
                text = [chance.choice(common) if chance.random() < 0.2 else word for word in kept[start:]]
                title = [word for word in head if chance.random() < 0.8] + chance.sample(jargon, 1)
                rows.append(([" ".join(title), " ".join(text), str(chance.randrange(1990, 2020))], f"{topic}-{article}"))
    return shuffled("made-up long text", ["title", "body", "year"], rows, chance)


def people(count: int, seed: int = 0) -> Known:
    """For scale: `count` rows of people with eight columns, a fifth of them second records with slips, gaps and changes."""
    chance = Random(seed)  # noqa: S311 - made-up records are no secrets
    first, last = words(chance, 2000, (1, 3)), words(chance, 20_000, (2, 4))
    streets, towns = words(chance, 5000, (2, 4)), words(chance, 1500, (2, 4))
    rows: list[tuple[Row, str]] = []
    person = 0
    while len(rows) < count:
        year, month, day = chance.randrange(1930, 2005), chance.randrange(1, 13), chance.randrange(1, 29)
        home: Row = [str(chance.randrange(1, 300)), f"{chance.choice(streets)} street", chance.choice(towns)]
        row: Row = [
            first[int(2000 * chance.random() ** 2)],
            last[int(20_000 * chance.random() ** 2)],
            *home,
            str(chance.randrange(10_000, 99_999)),
            f"{year}-{month:02}-{day:02}",
            str(chance.randrange(10**8, 10**9)),
        ]
        rows.append((row, str(person)))
        if chance.random() < 0.25:
            copy = list(row)
            for place in chance.sample(range(8), 2):
                copy[place] = typo(copy[place] or "", chance)
            if chance.random() < 0.3:
                copy[chance.randrange(8)] = None
            if chance.random() < 0.1:  # moved
                copy[2:6] = [str(chance.randrange(1, 300)), chance.choice(streets), chance.choice(towns), str(year * 37)]
            if chance.random() < 0.05:  # married, or known by another name
                copy[chance.randrange(2)] = chance.choice(last)
            if chance.random() < 0.05:  # somebody else's number or birthday
                copy[6 + chance.randrange(2)] = str(chance.randrange(10**8, 10**9))
            rows.append((copy, str(person)))
        person += 1
    names = ["given", "family", "number", "street", "town", "postcode", "born", "insurance"]
    return shuffled(f"made-up people, {count} rows", names, rows[:count], chance)


KINDS: dict[str, Callable[[int, int], Known]] = {
    "products": products,
    "software": software,
    "few-columns": few_columns,
    "long-text": long_text,
    "people": people,
}
