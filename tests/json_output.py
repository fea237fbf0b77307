"""What a page's command lines print."""

import json
from typing import Any


def documents_in(output: str) -> list[Any]:
    """The JSON documents among the lines, in order."""
    decoder, position = json.JSONDecoder(), 0
    found: list[Any] = []
    while (position := output.find("{", position)) >= 0:
        document, position = decoder.raw_decode(output, position)
        found.append(document)
    return found
