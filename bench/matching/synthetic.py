"""Synthetic tables with known truth, of the kinds that are hard for a matcher. The same arguments give the same table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from findmatches.table import Table

Row = list[str | None]


@dataclass(frozen=True)
class LabeledTable:
    """A table and its truth: per row, the thing that it is a record of."""

    name: str
    table: Table
    truth: list[str]


def shuffled(name: str, columns: Sequence[str], rows: list[tuple[Row, str]], random: Random) -> LabeledTable:
    random.shuffle(rows)
    cells: dict[str, Sequence[str | None]] = {"pk": [f"p{number}" for number in range(len(rows))]}
    cells |= {column: [row[place] for row, _ in rows] for place, column in enumerate(columns)}
    return LabeledTable(name, Table(cells, "pk"), [truth for _, truth in rows])


def words(random: Random, count: int, syllables: tuple[int, int]) -> list[str]:
    """Pronounceable words, distinct."""
    parts = [consonant + vowel for consonant in "bcdfghjklmnprstvwz" for vowel in "aeiou"]
    ends = ["", "", "n", "r", "s", "l", "x", "t"]
    distinct: dict[str, None] = {}
    while len(distinct) < count:
        distinct["".join(random.choices(parts, k=random.randint(*syllables))) + random.choice(ends)] = None
    return list(distinct)


def typo(text: str, random: Random) -> str:
    if len(text) < 3:
        return text
    place = random.randrange(len(text) - 1)
    kind = random.randrange(4)
    letter = random.choice("abcdefghijklmnopqrstuvwxyz") if not text[place].isdigit() else random.choice("0123456789")
    return (
        text[:place] + text[place + 1 :],
        text[:place] + text[place + 1] + text[place] + text[place + 2 :],
        text[:place] + letter + text[place + 1 :],
        text[:place] + letter + text[place:],
    )[kind]


def products(count: int, seed: int = 0) -> LabeledTable:
    """Two shops' listings of consumer goods. Each shop words titles its own way, writes model codes differently or omits
    them, and has its own prices; variants (color, size) are different things. The second shop often has no description.
    """
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    brands = [word.capitalize() for word in words(random, 40, (2, 3))]
    kinds = [" ".join(random.sample(words(random, 120, (2, 3)), 2)) for _ in range(45)]
    adjectives = words(random, 150, (2, 4))
    colors = ["black", "white", "silver", "red", "blue", "graphite", "stainless steel"]
    rows: list[tuple[Row, str]] = []
    for family in range(count // 2):
        brand, kind = random.choice(brands), random.choice(kinds)
        letters = "".join(random.choices("ABCDEFGHKLMNPRSTVX", k=random.randint(1, 4)))
        number = random.randrange(10, 9999)
        details = random.sample(adjectives, random.randint(6, 25))
        base = random.uniform(10, 900)
        for variant in range(random.choice([1, 1, 2, 3])):
            color = random.choice(colors)
            model = f"{letters}{number + variant * random.choice([1, 5, 10, 100])}{random.choice(['', '', 'B', 'S', 'W'])}"
            truth = f"{family}-{variant}"
            title = f"{brand} {kind} - {model}/ {color} finish"
            first: Row = [title, f"{brand} {kind} - {model}/ {' '.join(details)}/ {color}", None]
            if random.random() < 0.45:
                first[2] = f"${base * random.uniform(0.98, 1.02):,.2f}"
            in_first = random.random()
            if in_first < 0.78:
                rows.append((first, truth))
            if in_first > 0.3:
                written = model if random.random() < 0.5 else f"{letters}-{model[len(letters) :]}"
                if random.random() < 0.12:
                    written = ""
                mentioned = random.sample(kind.split() + details[:4], random.randint(1, 4))
                pieces = [brand, *mentioned, written, color if random.random() < 0.5 else ""]
                if random.random() < 0.4:
                    pieces = [brand, written, *mentioned]
                sold: Row = [" ".join(filter(None, pieces)), None, None]
                if random.random() < 0.6:
                    sold[1] = " ".join(random.sample(details, len(details) // 3) + random.sample(adjectives, 4))
                if random.random() < 0.5:
                    sold[2] = f"{base * random.uniform(0.7, 1.15):.2f}"
                rows.append((sold, truth))
    return shuffled("synthetic products", ["name", "description", "price"], rows, random)


def software(count: int, seed: int = 0) -> LabeledTable:
    """Titles with versions and editions, makers often missing; a large catalog matches some titles, sometimes twice."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    makers = words(random, 60, (2, 3))
    nouns = words(random, 260, (2, 3))
    editions = ["standard", "professional", "deluxe", "upgrade", "home", "premium", "5 user", "academic"]
    systems = ["win", "mac", "win/mac", "windows xp/vista", ""]
    rows: list[tuple[Row, str]] = []
    for product in range(count // 3):
        maker = random.choice(makers)
        title = " ".join(random.sample(nouns, random.randint(1, 3)))
        for version in random.sample(range(1, 13), random.choice([1, 1, 2, 3])):
            edition = random.choice(editions)
            price = random.choice([19.99, 29.95, 49.99, 99.0, 199.0, 499.0]) * random.uniform(0.97, 1.03)
            truth = f"{product}-{version}-{edition}"
            copies = random.choice([0, 0, 0, 1, 1, 2])
            if random.random() < 0.6 or not copies:
                rows.append(([f"{title} {version}.0 {edition} {random.choice(systems)}".strip(), maker, f"{price:.2f}"], truth))
            for _ in range(copies):
                number = random.choice([f"{version}", f"{version}.0", f"v{version}"])
                parts = [maker if random.random() < 0.6 else "", title, number, random.choice([edition, edition[:4], ""])]
                code = str(random.randrange(10**7, 10**8)) if random.random() < 0.4 else ""
                manufacturer = maker if random.random() < 0.15 else None
                cost = f"{price * random.uniform(0.6, 1.1):.2f}"
                rows.append(([" ".join(filter(None, [code, *parts, random.choice(systems)])), manufacturer, cost], truth))
    return shuffled("synthetic software", ["title", "manufacturer", "price"], rows, random)


def few_columns(count: int, seed: int = 0) -> LabeledTable:
    """People as names, town and year of birth only; up to five records each, names with typos, initials and nicknames."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    first, last, towns = words(random, 150, (1, 3)), words(random, 700, (2, 3)), words(random, 60, (2, 4))
    rows: list[tuple[Row, str]] = []
    for person in range(count // 2):
        given = first[min(int(random.expovariate(1 / 35)), len(first) - 1)]
        family = last[min(int(random.expovariate(1 / 180)), len(last) - 1)]
        town, year = random.choice(towns), str(random.randrange(1930, 2005))
        for _ in range(random.choice([1, 1, 1, 2, 2, 3, 5])):
            row: Row = [given, family, town, year]
            if random.random() < 0.3:
                row[0] = typo(given, random)
            if random.random() < 0.1:
                row[0] = given[0]
            if random.random() < 0.3:
                row[1] = typo(family, random)
            if random.random() < 0.1:
                row[2] = None
            if random.random() < 0.1:
                row[2] = random.choice(towns)
            if random.random() < 0.12:
                row[3] = typo(year, random)
            if random.random() < 0.03:
                row[0], row[1] = row[1], row[0]
            rows.append((row, str(person)))
    return shuffled("synthetic people, few columns", ["first", "last", "town", "year"], rows, random)


def long_text(count: int, seed: int = 0) -> LabeledTable:
    """Articles of 60 to 300 words and their reworded, cut or extended copies, among others on the same topic."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    common, rare = words(random, 300, (1, 2)), words(random, 6000, (2, 4))
    rows: list[tuple[Row, str]] = []
    for topic in range(count // 8):
        jargon = random.sample(rare, 40)
        for article in range(5):
            special = random.sample(rare, 12)
            size = random.randint(60, 300)
            body = [random.choice(random.choices([common, jargon, special], [6, 3, 1])[0]) for _ in range(size)]
            head = random.sample(jargon, 3) + random.sample(special, 2)
            for _ in range(random.choice([1, 1, 2, 3])):
                kept = [word for word in body if random.random() < 0.75]
                start = random.randrange(max(1, len(kept) // 3))
                text = [random.choice(common) if random.random() < 0.2 else word for word in kept[start:]]
                title = [word for word in head if random.random() < 0.8] + random.sample(jargon, 1)
                rows.append(([" ".join(title), " ".join(text), str(random.randrange(1990, 2020))], f"{topic}-{article}"))
    return shuffled("synthetic long text", ["title", "body", "year"], rows, random)


def people(count: int, seed: int = 0) -> LabeledTable:
    """For scale: `count` rows of people with eight columns, a fifth of them second records with typos, gaps and changes."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    first, last = words(random, 2000, (1, 3)), words(random, 20_000, (2, 4))
    streets, towns = words(random, 5000, (2, 4)), words(random, 1500, (2, 4))
    rows: list[tuple[Row, str]] = []
    person = 0
    while len(rows) < count:
        year, month, day = random.randrange(1930, 2005), random.randrange(1, 13), random.randrange(1, 29)
        home: Row = [str(random.randrange(1, 300)), f"{random.choice(streets)} street", random.choice(towns)]
        row: Row = [
            first[int(2000 * random.random() ** 2)],
            last[int(20_000 * random.random() ** 2)],
            *home,
            str(random.randrange(10_000, 99_999)),
            f"{year}-{month:02}-{day:02}",
            str(random.randrange(10**8, 10**9)),
        ]
        rows.append((row, str(person)))
        if random.random() < 0.25:
            copy = list(row)
            for place in random.sample(range(8), 2):
                copy[place] = typo(copy[place] or "", random)
            if random.random() < 0.3:
                copy[random.randrange(8)] = None
            if random.random() < 0.1:  # moved
                copy[2:6] = [str(random.randrange(1, 300)), random.choice(streets), random.choice(towns), str(year * 37)]
            if random.random() < 0.05:  # married, or known by another name
                copy[random.randrange(2)] = random.choice(last)
            if random.random() < 0.05:  # somebody else's number or birthday
                copy[6 + random.randrange(2)] = str(random.randrange(10**8, 10**9))
            rows.append((copy, str(person)))
        person += 1
    names = ["given", "family", "number", "street", "town", "postcode", "born", "insurance"]
    return shuffled(f"synthetic people, {count} rows", names, rows[:count], random)


KINDS: dict[str, Callable[[int, int], LabeledTable]] = {
    "products": products,
    "software": software,
    "few-columns": few_columns,
    "long-text": long_text,
    "people": people,
}
