"""The labeling page in a real browser: Debian's Chromium, driven by Playwright, against the deployed template."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from label_loop.api import ApiClient
from local.cloud.stack import Stack
from local.sample_table import Records, create_transform, upload_table
from tests.local.helpers import eventually, people, task_run_if

CHROMIUM = shutil.which("chromium") or ""
SHOWN_TIMEOUT_MS = 20_000


@dataclass
class PageLog:
    """What a page must not do: errors in its console, and requests to elsewhere."""

    origin: str
    errors: list[str] = field(default_factory=list)
    foreign_requests: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._check(request.url))

    def _check(self, url: str) -> None:
        if not url.startswith((self.origin, "blob:", "data:")):
            self.foreign_requests.append(url)


@dataclass(frozen=True)
class LabelingSite:
    """A transform of its own in the local cloud, and the means to make sets and links."""

    stack: Stack
    api: ApiClient
    transform_id: str
    records: Records

    def new_set(self, key: str) -> str:
        accepted = self.api.start_labeling_set_run(key, self.transform_id, f"s3://{self.stack.bucket}/page-sets/")
        run_id: str = accepted.body["id"]
        eventually(lambda: task_run_if(self.api, run_id, "SUCCEEDED"))
        return run_id

    def new_link(self, set_id: str, labeler: str = "ann", **options: object) -> dict[str, Any]:
        response = self.api.create_link(set_id, labeler, **options)
        assert response.status == 201, response
        return dict(response.body)

    def answers_of(self, set_id: str, labeler: str = "ann") -> dict[str, Any]:
        """The saved answers of a labeler, row number to answer."""
        saved = self.api.list_answers(set_id).body["items"]
        return next((dict(each["answers"]) for each in saved if each["labeler"] == labeler), {})

    def true_answers(self, page: Page) -> list[str]:
        """The key for each row of the set that is shown, in order: a group's number, or x for a row that is alone."""
        keys = [row.split("-")[0] for row in page.locator("tbody td[data-column=pk] .text").all_inner_texts()]
        groups = [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
        return [str(groups.index(key) + 1) if key in groups else "x" for key in keys]


def labeling_site(stack: Stack, api: ApiClient) -> LabelingSite:
    records = people(90)
    rows = [{**row, "street": f"{row['street']}\u200b"} for row in records.rows]  # a character that nobody sees
    records = Records(records.columns, rows, records.primary_key, records.truth)
    upload_table(stack, records, "page")
    return LabelingSite(stack, api, create_transform(stack, "pk", "page"), records)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def open_page(context: BrowserContext, url: str) -> tuple[Page, PageLog]:
    """The page of a link, and what it does wrong."""
    page = context.new_page()
    parts = urlsplit(url)
    log = PageLog(f"{parts.scheme}://{parts.netloc}")
    log.watch(page)
    page.set_default_timeout(SHOWN_TIMEOUT_MS)
    page.goto(url)
    return page, log


def press(page: Page, keys: str) -> int:
    """Press each of `keys`; returns how many."""
    for key in keys:
        page.keyboard.press(key)
    return len(keys)


def wait_until_saved(page: Page) -> None:
    page.locator("#save-state", has_text="Saved").wait_for()
