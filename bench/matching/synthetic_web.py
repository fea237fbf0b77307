"""More synthetic tables, of the kinds that search engines and shops on the web have. See synthetic.py."""

from collections.abc import Callable
from random import Random

from bench.matching.synthetic import LabeledTable, Row, shuffled, typo, words

VENUES = {
    "SIGMOD Conference": ["Proc. ACM SIGMOD", "ACM SIGMOD Int. Conf. on Management of Data,", "SIGMOD", "Management of Data"],
    "VLDB": [
        "Proc. of VLDB",
        "Very Large Data Bases,",
        "Proceedings of the 24th International Conference on Very Large",
        "VLDB",
    ],
    "ACM Trans. Database Syst.": ["ACM Transactions on Database Systems (TODS),", "ACM Trans. on Database Systems", "TODS"],
    "SIGMOD Record": ["ACM SIGMOD Record,", "SIGMOD RECORD"],
    "VLDB J.": ["The VLDB Journal The International Journal on Very Large Data", "VLDB Journal"],
}
OTHER_VENUES = [
    "ICDE",
    "Information Systems,",
    "Lecture Notes in Computer Science",
    "IEEE Data Engineering Bulletin,",
    "US Patent",
    "KDD",
]
CONNECTIVES = ["for", "in", "of", "and", "with", "over", "using", "on the", "from", "a"]


def bibliography(count: int, seed: int = 0) -> LabeledTable:
    """A clean catalog of papers (4 % of the rows) and a search engine's results: initials, cut or misspelt titles, venues
    in many forms or none, years often missing. Several results per paper; most are of papers that are not in the catalog,
    among them talks, extended versions and follow-ups that share authors and most of a title.
    """
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    jargon, first, last = words(random, 1500, (2, 4)), words(random, 300, (1, 3)), words(random, 2500, (2, 3))
    rows: list[tuple[Row, str]] = []
    paper = 0
    while len(rows) < count:
        team = [
            (random.choice(first), last[int(2500 * random.random() ** 2)])
            for _ in range(random.choice([1, 1, 2, 2, 3, 3, 4, 6]))
        ]
        in_catalog = random.random() < 0.07
        venue, year = random.choice(list(VENUES)), random.randrange(1994, 2004)
        title: list[str] = []
        for version in range(random.choice([1, 1, 1, 2, 3])):
            if not version:
                title = _title(jargon, random)
            elif random.random() < 0.6:  # the journal's version, the talk, part two
                title = [
                    *title,
                    random.choice(
                        ["revisited", "an overview", "part ii", "extended abstract", "demo", jargon[random.randrange(90)]]
                    ),
                ]
            else:
                title = [*title[: len(title) // 2], *_title(jargon, random)[-3:]]
            if in_catalog and version < 2:
                named = ", ".join(f"{given.capitalize()} {family.capitalize()}" for given, family in team)
                rows.append(([" ".join(title).capitalize(), named, venue, str(year + version)], str(paper)))
            results = random.choice([0, 1, 1, 2, 2, 3, 5]) if in_catalog else 1
            for _ in range(results):
                published_at = venue if in_catalog else random.choice([venue, *OTHER_VENUES])
                rows.append((_search_result(title, team, published_at, year + version, random), str(paper)))
            paper += 1
    return shuffled(f"synthetic bibliography, {count} rows", ["title", "authors", "venue", "year"], rows[:count], random)


def _title(jargon: list[str], random: Random) -> list[str]:
    picked: list[str] = []
    for _ in range(random.randint(2, 6)):
        picked += [jargon[int(1500 * random.random() ** 3)], random.choice(CONNECTIVES)]
    return picked[:-1]


def _search_result(title: list[str], team: list[tuple[str, str]], venue: str, year: int, random: Random) -> Row:
    written = list(title)
    if random.random() < 0.15:
        written = written[: max(2, len(written) - random.randint(1, 4))]
    if random.random() < 0.2:
        place = random.randrange(len(written))
        written[place] = typo(written[place], random)
    if random.random() < 0.06:
        written = [random.choice(["technical report", "tr 97", "and "]), *written]
    people = [f"{given[0].upper()} {family.capitalize()}" for given, family in team]
    if len(people) > 2 and random.random() < 0.3:
        people = [*people[:2], "..."]
    if random.random() < 0.08:
        people = [typo(person, random) for person in people[: random.randint(1, len(people))]]
    where: str | None = random.choice(VENUES.get(venue, [venue]))
    when: str | None = str(year + random.choice([0] * 12 + [-1, 1, 1]))
    if random.random() < 0.25:
        where = None
    if random.random() < 0.5:
        when = None
    return [" ".join(written), ", ".join(people), where, when]


def shops(count: int, seed: int = 0) -> LabeledTable:
    """A small and a large shop's electronics in five columns. Each shop has its own categories; brands have two names, model
    codes are missing or inside the title; packs, colors and accessories of a model are different things.
    """
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    makers = [
        (word.capitalize(), word.capitalize() if random.random() < 0.7 else word[:2].upper())
        for word in words(random, 60, (2, 4))
    ]
    nouns, extras = words(random, 120, (2, 3)), words(random, 300, (2, 4))
    sections = [(f"{noun} and {random.choice(nouns)}", random.choice(nouns)) for noun in nouns[:25]]
    rows: list[tuple[Row, str]] = []
    item = 0
    while len(rows) < count:
        (brand, short), (section, aisle) = random.choice(makers), random.choice(sections)
        kind, base = random.sample(nouns, random.randint(1, 3)), random.uniform(8, 600)
        letters = "".join(random.choices("ABCDEFGHKLMNPRSTVX", k=random.randint(1, 3)))
        number = random.randrange(100, 9999)
        for _ in range(random.choice([1, 1, 2, 3, 5])):
            details = [
                *random.sample(extras, random.randint(1, 6)),
                random.choice(["black", "white", "silver", "8gb", "16gb", "2-pack", "for mac"]),
            ]
            code = f"{letters}{number}{random.choice(['', '', 'B', '-US', '#140'])}"
            number += random.choice([1, 5, 10, 100])
            price = base * random.uniform(0.7, 1.5)
            in_both, listed = random.random() < 0.12, random.random()
            if in_both or listed < 0.06:
                title = " ".join([brand, *kind, *random.sample(details[:-1], min(2, len(details) - 1)), details[-1]])
                rows.append(([title, section, brand, code if random.random() < 0.75 else None, f"{price:.2f}"], str(item)))
            if in_both or listed >= 0.06:
                parts = [
                    short,
                    code if random.random() < 0.45 else "",
                    *random.sample(kind, max(1, len(kind) - 1)),
                    *details[: random.randint(1, 6)],
                ]
                if random.random() < 0.8:
                    parts.append(details[-1])
                listed_price = f"{price * random.uniform(0.75, 1.2):.2f}" if random.random() < 0.85 else None
                plain = code.replace("-US", "").replace("#140", "") if random.random() < 0.6 else code
                rows.append(
                    (
                        [" ".join(filter(None, parts)), aisle, short, plain if random.random() < 0.7 else None, listed_price],
                        str(item),
                    )
                )
            item += 1
    return shuffled("synthetic shops", ["title", "category", "brand", "modelno", "price"], rows[:count], random)


KINDS: dict[str, Callable[[int, int], LabeledTable]] = {"bibliography": bibliography, "shops": shops}
