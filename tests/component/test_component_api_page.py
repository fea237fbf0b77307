"""The API's page in docs/api: all that the documents say is on it, its links resolve, and it loads nothing."""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest

from contracts.api_page import page
from contracts.documents import FOLDER

PAGE = (FOLDER / "index.html").read_text()
OPENAPI: dict[str, Any] = json.loads((FOLDER / "openapi.json").read_text())
ASYNCAPI: dict[str, Any] = json.loads((FOLDER / "asyncapi.json").read_text())
OPERATIONS = [operation for operations in OPENAPI["paths"].values() for operation in operations.values()]
VOID = {"meta", "wbr"}


class Page(HTMLParser):
    """The page's text and attributes; an element that is not closed is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.pieces: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())

    def values(self, attribute: str) -> list[str]:
        return [value for _, name, value in self.attributes if name == attribute]


@pytest.fixture(scope="module")
def parsed() -> Page:
    return Page(PAGE)


def plain(text: str) -> str:
    return " ".join(text.replace("`", "").split())


def test_committed_page_is_generated_from_the_documents() -> None:
    assert page(OPENAPI, ASYNCAPI) == PAGE, "run make contracts"


def test_every_element_is_closed_and_every_id_is_unique(parsed: Page) -> None:
    assert parsed.open == []
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))


def test_every_link_resolves(parsed: Page) -> None:
    ids = set(parsed.values("id"))
    links = set(parsed.values("href"))
    assert links
    for link in links:
        assert link[1:] in ids if link.startswith("#") else (FOLDER / link).is_file(), link


def test_page_loads_nothing_and_runs_no_script(parsed: Page) -> None:
    assert not {"script", "link", "img", "iframe", "object", "embed", "video", "audio", "base"} & set(parsed.tags)
    assert not [name for _, name, _ in parsed.attributes if name in ("src", "srcset", "style") or name.startswith("on")]
    assert not re.search(r"url\(|@import|@font-face", PAGE)
    assert not [link for link in parsed.values("href") if "//" in link]


def test_page_shows_every_operation_with_parameters_and_responses() -> None:
    for path, operations in OPENAPI["paths"].items():
        for operation in operations.values():
            html = PAGE.partition(f'<article id="{operation["operationId"]}">')[2].partition("</article>")[0]
            text = Page(html).text
            assert path in text
            assert plain(operation["description"]) in text
            for parameter in operation.get("parameters", []):
                assert parameter["name"] in text
                assert plain(parameter["description"]) in text
            for status, response in operation["responses"].items():
                assert f"{status} {plain(response['description'])}" in text


def test_page_shows_every_schema_with_its_fields(parsed: Page) -> None:
    for name, schema in OPENAPI["components"]["schemas"].items():
        html = PAGE.partition(f'<article id="schema-{name}">')[2].partition("</article>")[0]
        text = Page(html).text
        assert all(plain(paragraph) in text for paragraph in schema["description"].split("\n\n"))
        assert [field for field in schema.get("properties", {}) if f"<dt><code>{field}</code></dt>" not in html] == []
        assert all(value in text for value in schema.get("enum", []))
    assert parsed.tags["article"] == len(OPERATIONS) + len(OPENAPI["components"]["schemas"]) + len(ASYNCAPI["operations"])


def test_page_links_the_schema_of_every_event(parsed: Page) -> None:
    for name, message in ASYNCAPI["components"]["messages"].items():
        assert f"schemas/{name}.json" in parsed.values("href")
        assert plain(message["summary"]) in parsed.text


def test_texts_of_the_documents_are_escaped() -> None:
    hostile = json.loads(json.dumps(OPENAPI).replace("Get a task run", "<script>alert(1)</script>"))
    assert "<script>" not in page(hostile, ASYNCAPI)
    assert "&lt;script&gt;" in page(hostile, ASYNCAPI)
