"""What the command prints: data on stdout (a table, JSON, or ids alone), everything else on stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
_WIDEST_CELL = 60


@dataclass(frozen=True)
class Output:
    """`form` is "table", "json" or "quiet"."""

    form: str = "table"

    def item(self, document: Document, identifier: str) -> None:
        """One document: its fields line by line."""
        if self.form == "json":
            print(json.dumps(document, indent=2, ensure_ascii=False))
        elif self.form == "quiet":
            print(document[identifier])
        else:
            width = max(map(len, document), default=0)
            for name, value in document.items():
                if value is not None:
                    print(f"{name:<{width}}  {_text(value)}")

    def items(self, documents: Iterable[Document], identifier: str, columns: Sequence[str]) -> None:
        """A list of documents: one line each, with these columns."""
        listed = list(documents)
        if self.form == "json":
            print(json.dumps({"items": listed, "next": None}, indent=2, ensure_ascii=False))
        elif self.form == "quiet":
            for document in listed:
                print(document[identifier])
        else:
            _print_table([columns, *([_text(document.get(name)) for name in columns] for document in listed)])


def say(message: str) -> None:
    """Tell people something."""
    print(message, file=sys.stderr, flush=True)


def _print_table(lines: Sequence[Sequence[str]]) -> None:
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _text(value: object) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST_CELL or text.startswith("s3://") else f"{text[: _WIDEST_CELL - 1]}…"
