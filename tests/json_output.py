"""Parses the output of the commands of a documentation page."""

import json
from typing import Any


def json_documents(output: str) -> list[Any]:
    """The JSON objects in the output, in order."""
    decoder, position = json.JSONDecoder(), 0
    documents: list[Any] = []
    while (position := output.find("{", position)) >= 0:
        document, position = decoder.raw_decode(output, position)
        documents.append(document)
    return documents
