"""More tables of made-up records, of the kinds that search engines and shops on the web hold. See made_up.py."""

from collections.abc import Callable
from random import Random

from bench.matching.synthetic import Known, Row, shuffled, typo, words

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
ELSEWHERE = [
    "ICDE",
    "Information Systems,",
    "Lecture Notes in Computer Science",
    "IEEE Data Engineering Bulletin,",
    "US Patent",
    "KDD",
]
GLUE = ["for", "in", "of", "and", "with", "over", "using", "on the", "from", "a"]


def bibliography(count: int, seed: int = 0) -> Known:
    """A clean catalog of papers (4 % of the rows) and a search engine's finds: initials, cut or slipping titles, venues of
    many forms or none, years often missing; several finds per paper, and by far the most of papers not in the catalog,
    among them talks, extended versions and follow-ups that share authors and most of a title.
    """
    chance = Random(seed)  # noqa: S311 - made-up records are no secrets
    jargon, first, last = words(chance, 1500, (2, 4)), words(chance, 300, (1, 3)), words(chance, 2500, (2, 3))
    rows: list[tuple[Row, str]] = []
    paper = 0
    while len(rows) < count:
        team = [
            (chance.choice(first), last[int(2500 * chance.random() ** 2)])
            for _ in range(chance.choice([1, 1, 2, 2, 3, 3, 4, 6]))
        ]
        in_catalog = chance.random() < 0.07
        venue, year = chance.choice(list(VENUES)), chance.randrange(1994, 2004)
        title: list[str] = []
        for version in range(chance.choice([1, 1, 1, 2, 3])):
            if not version:
                title = _title(jargon, chance)
            elif chance.random() < 0.6:  # the journal's version, the talk, part two
                title = [
                    *title,
                    chance.choice(
                        ["revisited", "an overview", "part ii", "extended abstract", "demo", jargon[chance.randrange(90)]]
                    ),
                ]
            else:
                title = [*title[: len(title) // 2], *_title(jargon, chance)[-3:]]
            if in_catalog and version < 2:
                named = ", ".join(f"{given.capitalize()} {family.capitalize()}" for given, family in team)
                rows.append(([" ".join(title).capitalize(), named, venue, str(year + version)], str(paper)))
            finds = chance.choice([0, 1, 1, 2, 2, 3, 5]) if in_catalog else 1
            for _ in range(finds):
                held = venue if in_catalog else chance.choice([venue, *ELSEWHERE])
                find = _found(title, team, held, year + version, chance)
                rows.append((find, str(paper)))
            paper += 1
    return shuffled(f"made-up bibliography, {count} rows", ["title", "authors", "venue", "year"], rows[:count], chance)


def _title(jargon: list[str], chance: Random) -> list[str]:
    picked: list[str] = []
    for _ in range(chance.randint(2, 6)):
        picked += [jargon[int(1500 * chance.random() ** 3)], chance.choice(GLUE)]
    return picked[:-1]


def _found(title: list[str], team: list[tuple[str, str]], venue: str, year: int, chance: Random) -> Row:
    written = list(title)
    if chance.random() < 0.15:
        written = written[: max(2, len(written) - chance.randint(1, 4))]
    if chance.random() < 0.2:
        place = chance.randrange(len(written))
        written[place] = typo(written[place], chance)
    if chance.random() < 0.06:
        written = [chance.choice(["technical report", "tr 97", "and "]), *written]
    people = [f"{given[0].upper()} {family.capitalize()}" for given, family in team]
    if len(people) > 2 and chance.random() < 0.3:
        people = [*people[:2], "..."]
    if chance.random() < 0.08:
        people = [typo(person, chance) for person in people[: chance.randint(1, len(people))]]
    where: str | None = chance.choice(VENUES.get(venue, [venue]))
    when: str | None = str(year + chance.choice([0] * 12 + [-1, 1, 1]))
    if chance.random() < 0.25:
        where = None
    if chance.random() < 0.5:
        when = None
    return [" ".join(written), ", ".join(people), where, when]


def shops(count: int, seed: int = 0) -> Known:
    """A small and a large shop's electronics in five columns: categories of their own, brands under two names, model codes
    missing or hidden in the title, packs, colors and accessories for a model that are different things.
    """
    chance = Random(seed)  # noqa: S311 - made-up records are no secrets
    makers = [
        (word.capitalize(), word.capitalize() if chance.random() < 0.7 else word[:2].upper())
        for word in words(chance, 60, (2, 4))
    ]
    nouns, extras = words(chance, 120, (2, 3)), words(chance, 300, (2, 4))
    sections = [(f"{noun} and {chance.choice(nouns)}", chance.choice(nouns)) for noun in nouns[:25]]
    rows: list[tuple[Row, str]] = []
    thing = 0
    while len(rows) < count:
        (brand, short), (section, aisle) = chance.choice(makers), chance.choice(sections)
        kind, base = chance.sample(nouns, chance.randint(1, 3)), chance.uniform(8, 600)
        letters = "".join(chance.choices("ABCDEFGHKLMNPRSTVX", k=chance.randint(1, 3)))
        number = chance.randrange(100, 9999)
        for _ in range(chance.choice([1, 1, 2, 3, 5])):
            about = [
                *chance.sample(extras, chance.randint(1, 6)),
                chance.choice(["black", "white", "silver", "8gb", "16gb", "2-pack", "for mac"]),
            ]
            code = f"{letters}{number}{chance.choice(['', '', 'B', '-US', '#140'])}"
            number += chance.choice([1, 5, 10, 100])
            price = base * chance.uniform(0.7, 1.5)
            in_both, listed = chance.random() < 0.12, chance.random()
            if in_both or listed < 0.06:
                title = " ".join([brand, *kind, *chance.sample(about[:-1], min(2, len(about) - 1)), about[-1]])
                rows.append(([title, section, brand, code if chance.random() < 0.75 else None, f"{price:.2f}"], str(thing)))
            if in_both or listed >= 0.06:
                parts = [
                    short,
                    code if chance.random() < 0.45 else "",
                    *chance.sample(kind, max(1, len(kind) - 1)),
                    *about[: chance.randint(1, 6)],
                ]
                if chance.random() < 0.8:
                    parts.append(about[-1])
                asked = f"{price * chance.uniform(0.75, 1.2):.2f}" if chance.random() < 0.85 else None
                plain = code.replace("-US", "").replace("#140", "") if chance.random() < 0.6 else code
                rows.append(
                    ([" ".join(filter(None, parts)), aisle, short, plain if chance.random() < 0.7 else None, asked], str(thing))
                )
            thing += 1
    return shuffled("made-up shops", ["title", "category", "brand", "modelno", "price"], rows[:count], chance)


KINDS: dict[str, Callable[[int, int], Known]] = {"bibliography": bibliography, "shops": shops}
