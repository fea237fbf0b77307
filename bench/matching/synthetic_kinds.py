"""Small synthetic tables, each of a kind on which a matcher fails for one reason; the docstrings name it."""

from collections.abc import Callable
from random import Random

from bench.matching.synthetic import LabeledTable, Row, shuffled, typo, words

PERSON = ["first", "last", "born", "street", "town", "phone"]


def groups_of_five(count: int, seed: int = 0) -> LabeledTable:
    """Every person has five records: no row is without a match, so "nearest by far" separates nothing."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    lists = _word_lists(random)
    rows: list[tuple[Row, str]] = []
    for person in range(count // 5):
        row = _person(random, *lists)
        rows += [(_with_slips(row, random), str(person)) for _ in range(5)]
    return shuffled("synthetic groups of five", PERSON, rows, random)


def organizations(count: int, seed: int = 0) -> LabeledTable:
    """Applicants for patents: the largest group has a seventh of the rows, far more than any row's neighbors."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    names, towns = words(random, 2 * count, (2, 4)), words(random, 60, (2, 3))
    nouns = ["systems", "electronics", "chemical", "motors", "laboratories", "instruments", "industries", "research"]
    forms = ["inc", "inc.", "corp", "corporation", "co", "company", "ltd", "", "llc"]
    rows: list[tuple[Row, str]] = []
    number = 0
    while len(rows) < count:
        base = [names.pop().capitalize(), *random.sample(nouns, random.choice([1, 1, 2]))]
        seats = random.sample(towns, random.choice([1, 1, 2]))
        size = count // 7 if not number else count // 20 if number < 4 else random.choice([1, 1, 1, 2, 2, 3, 5, 9])
        for _ in range(size):
            written = [
                word[: random.choice([4, 5])] if random.random() < 0.12 and place else word for place, word in enumerate(base)
            ]
            name = " ".join([*written, random.choice(forms)]).strip()
            if random.random() < 0.15:
                name = typo(name, random)
            rows.append(
                (
                    [name, random.choice(seats) if random.random() < 0.8 else None, random.choice(["US", "US", "us", None])],
                    str(number),
                )
            )
        number += 1
    return shuffled("synthetic organizations", ["name", "town", "country"], rows[:count], random)


def households(count: int, seed: int = 0) -> LabeledTable:
    """Families that share a name, an address and a phone; nobody is recorded twice: all pairs are different."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    first, last, streets, towns = _word_lists(random)
    rows: list[tuple[Row, str]] = []
    while len(rows) < count:
        home = _person(random, first, last, streets, towns)
        for _ in range(random.choice([1, 1, 2, 3, 4])):
            member = list(home)
            member[0], member[2] = random.choice(first), _date(random)
            rows.append((member, str(len(rows))))
    return shuffled("synthetic households, no match", PERSON, rows[:count], random)


def exact_copies(count: int, seed: int = 0) -> LabeledTable:
    """Most second records are exact copies; a few persons have one with slips; twins share all but the first name."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    lists = _word_lists(random)
    rows: list[tuple[Row, str]] = []
    person = 0
    while len(rows) < count:
        row = _person(random, *lists)
        rows.append((row, str(person)))
        kind = random.random()
        if kind < 0.35:
            rows.append((list(row), str(person)))
        elif kind < 0.45:
            rows.append((_with_slips(row, random), str(person)))
        elif kind < 0.6:
            person += 1
            rows.append(([random.choice(lists[0]), *row[1:]], str(person)))
        person += 1
    return shuffled("synthetic exact copies", PERSON, rows[:count], random)


def two_alphabets(count: int, seed: int = 0) -> LabeledTable:
    """The second record writes the names in another alphabet: only the date of birth and the town are alike."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    first, last, _, towns = _word_lists(random)
    cyrillic = str.maketrans("abcdefghijklmnoprstuvwxz", "абцдефгхийклмнопрстувщкз")
    rows: list[tuple[Row, str]] = []
    person = 0
    while len(rows) < count:
        row: Row = [random.choice(first), random.choice(last), _date(random), random.choice(towns)]
        rows.append((row, str(person)))
        if random.random() < 0.5:
            copy = [(cell or "").translate(cyrillic) if place < 2 else cell for place, cell in enumerate(row)]
            if random.random() < 0.2:
                copy[3] = None
            rows.append((copy, str(person)))
        person += 1
    return shuffled("synthetic two alphabets", ["first", "last", "born", "town"], rows[:count], random)


def many_scripts(count: int, seed: int = 0) -> LabeledTable:
    """Names in Devanagari, Tamil, Thai, Hebrew, Arabic and kana; vowels are combining marks, digits the script's own."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    scripts = [
        ("कखगचजटडतदनपबमरलवसह", "ािीुूेैोौं", "०१२३४५६७८९"),
        ("கசடதபறயரலவநமனண", "ாிீுூெேைொோ", "௦௧௨௩௪௫௬௭௮௯"),
        ("กขคงจชดตทนบปพมรลวส", "ะัาำิีืุูเ", "๐๑๒๓๔๕๖๗๘๙"),
        ("אבגדהוזחטיכלמנסעפצקרשת", "ְִֵֶַָֹֻ", "0123456789"),
        ("ابتثجحدرزسشصطعفقكلمن", "ًٌٍَُِّ", "٠١٢٣٤٥٦٧٨٩"),
        ("かきくけこさしすせそたちつてとはひふへほ", "゛゜ん", "0123456789"),
    ]
    roots = [
        (["".join(random.choices(letters, k=random.choice([2, 3, 3, 4]))) for _ in range(6)], marks, digits)
        for letters, marks, digits in scripts
    ]
    rows: list[tuple[Row, str]] = []
    person = 0
    while len(rows) < count:
        skeletons, marks, digits = random.choice(roots)
        name = " ".join("".join(letter + random.choice(marks) for letter in random.choice(skeletons)) for _ in range(2))
        number = str(random.randrange(1000, 99999))
        rows.append(([name, number], str(person)))
        if random.random() < 0.5:
            place = random.randrange(len(name))
            copy = name[:place] + name[place + 1 :] if random.random() < 0.5 else name
            native = "".join(digits[int(digit)] for digit in number)
            rows.append(([copy, None if random.random() < 0.3 else native if random.random() < 0.6 else number], str(person)))
        person += 1
    return shuffled("synthetic many scripts", ["name", "number"], rows[:count], random)


def boilerplate(count: int, seed: int = 0) -> LabeledTable:
    """Texts that share an opening of 5,000 characters; what tells them apart comes after it."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    common, rare = words(random, 300, (1, 2)), words(random, 6000, (2, 4))
    openings = [" ".join(random.choices(common, k=1200))[:5000] for _ in range(3)]
    rows: list[tuple[Row, str]] = []
    text = 0
    while len(rows) < count:
        opening, body = random.choice(openings), random.sample(rare, 25)
        rows.append(([opening + " " + " ".join(body)], str(text)))
        if random.random() < 0.5:
            kept = [word for word in body if random.random() < 0.8]
            rows.append(([opening + " " + " ".join(kept + random.sample(rare, 3))], str(text)))
        text += 1
    return shuffled("synthetic boilerplate", ["text"], rows[:count], random)


def placeholders(count: int, seed: int = 0) -> LabeledTable:
    """Missing values are written N/A, unknown, -, 000-0000 and so on, and look like equal values."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    lists = _word_lists(random)
    blanks = [["N/A", "unknown"], ["N/A", "unknown"], ["1900-01-01"], ["-", "not available"], ["unknown"], ["000-0000", "n/a"]]
    rows: list[tuple[Row, str]] = []
    person = 0
    while len(rows) < count:
        row = _person(random, *lists)
        for copy in [row] if random.random() < 0.6 else [row, _with_slips(row, random)]:
            hidden = random.sample(range(1, 6), random.choice([1, 2, 3]))
            cells = [random.choice(blanks[place]) if place in hidden else cell for place, cell in enumerate(copy)]
            rows.append((cells, str(person)))
        person += 1
    return shuffled("synthetic placeholders", PERSON, rows[:count], random)


def rare_matches(count: int, seed: int = 0) -> LabeledTable:
    """Parts of two catalogs: 3 % of the rows have a match, and every row has neighbors that differ in one code or size."""
    random = Random(seed)  # noqa: S311 - synthetic records are no secrets
    nouns, makers = words(random, 60, (2, 3)), words(random, 25, (2, 3))
    rows: list[tuple[Row, str]] = []
    part = 0
    while len(rows) < count:
        maker, kind = random.choice(makers), random.sample(nouns, random.choice([2, 3, 4]))
        series = f"{random.choice('ABCDEFGHK')}{random.randrange(10, 999)}"
        for _ in range(random.choice([2, 4, 6, 8])):
            size, code = f"{random.randrange(2, 40)} mm", f"{series}-{random.randrange(100, 999)}"
            rows.append(
                (
                    [" ".join([maker, *kind, size]), code if random.random() < 0.8 else None, f"{random.uniform(1, 90):.2f}"],
                    str(part),
                )
            )
            if random.random() < 0.02:
                retitled = " ".join([*random.sample(kind, len(kind) - 1), size.replace(" ", ""), maker[:5]])
                rows.append(
                    (
                        [retitled, code.replace("-", "") if random.random() < 0.7 else None, f"{random.uniform(1, 90):.2f}"],
                        str(part),
                    )
                )
            part += 1
    return shuffled("synthetic rare matches", ["title", "code", "price"], rows[:count], random)


def _word_lists(random: Random) -> tuple[list[str], list[str], list[str], list[str]]:
    return words(random, 60, (1, 3)), words(random, 150, (2, 3)), words(random, 120, (2, 4)), words(random, 25, (2, 3))


def _date(random: Random) -> str:
    return f"{random.randrange(1930, 2005)}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}"


def _person(random: Random, first: list[str], last: list[str], streets: list[str], towns: list[str]) -> Row:
    street = f"{random.randrange(1, 300)} {random.choice(streets)} street"
    phone = f"{random.randrange(100, 999)}-{random.randrange(1000, 9999)}"
    return [random.choice(first), random.choice(last), _date(random), street, random.choice(towns), phone]


def _with_slips(row: Row, random: Random) -> Row:
    copy = list(row)
    for place in random.sample(range(len(row)), 2):
        copy[place] = typo(copy[place] or "", random)
    if random.random() < 0.3:
        copy[random.randrange(len(row))] = None
    return copy


KINDS: dict[str, Callable[[int, int], LabeledTable]] = {
    "groups-of-five": groups_of_five,
    "organizations": organizations,
    "households": households,
    "exact-copies": exact_copies,
    "two-alphabets": two_alphabets,
    "many-scripts": many_scripts,
    "boilerplate": boilerplate,
    "placeholders": placeholders,
    "rare-matches": rare_matches,
}
