"""The labeling page: a person with a link and a browser labels a set, and nothing that goes wrong loses an answer."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext

from label_loop.api import ApiClient
from local.cloud.process import ROOT
from local.cloud.stack import Stack
from tests.local.helpers import eventually, task_run_if
from tests.local.labeling_page import CHROMIUM, LabelingSite, chromium, labeling_site, open_page, press, wait_until_saved

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Debian's chromium (apt-get install chromium)")
SCREENSHOT = ROOT / ".local" / "labeling-page.png"


@pytest.fixture(scope="module")
def site(stack: Stack, api: ApiClient) -> LabelingSite:
    return labeling_site(stack, api)


@pytest.fixture(scope="module")
def set_id(site: LabelingSite) -> str:
    """A labeling set that no test submits."""
    return site.new_set("page-not-submitted")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


def test_set_is_labeled_by_keys_submitted_and_imported(site: LabelingSite, context: BrowserContext) -> None:
    set_id = site.new_set("page-submitted")
    page, log = open_page(context, site.new_link(set_id)["url"])
    page.locator("tbody tr").first.wait_for()
    assert "#" not in page.url
    rows, sets, keys = 0, page.locator("#sets li").count(), 0
    for number in range(sets):
        answers = site.true_answers(page)
        rows += len(answers)
        keys += press(page, "".join(answers))
        if number == 0:
            SCREENSHOT.parent.mkdir(exist_ok=True)
            page.screenshot(path=SCREENSHOT)
        if number < sets - 1:
            page.keyboard.press("Enter")
            keys += 1
    assert keys == rows + sets - 1
    wait_until_saved(page)
    assert len(site.answers_of(set_id)) == rows

    page.get_by_role("button", name="Check and import").click()
    page.get_by_role("button", name="Import these labels").click()
    page.get_by_text("The labels are imported. Thank you.").wait_for(timeout=120_000)
    (imported,) = site.api.list_task_runs(transformId=site.transform_id, taskType="IMPORT_LABELS").body["items"]
    assert (imported["labelingSetId"], imported["labeledBy"], imported["status"]) == (set_id, "ann", "SUCCEEDED")
    press(page, "1")
    assert page.locator("#message").inner_text() == "These answers are submitted. They cannot be changed."
    assert (log.errors, log.foreign_requests) == ([], [])


def test_page_policy_forbids_markup_from_text(site: LabelingSite, context: BrowserContext, set_id: str) -> None:
    page, log = open_page(context, site.new_link(set_id)["url"])
    page.locator("tbody tr").first.wait_for()
    throws = "() => { try { document.body.innerHTML = '<b>x</b>'; return false; } catch { return true; } }"
    assert page.evaluate(throws) is True
    assert log.foreign_requests == []


def test_characters_that_nobody_sees_are_shown(site: LabelingSite, context: BrowserContext, set_id: str) -> None:
    page, _ = open_page(context, site.new_link(set_id)["url"])
    assert page.locator("tbody .sign").first.get_attribute("title") == "U+200B zero-width space"


def test_undo_and_redo_go_across_sets(site: LabelingSite, context: BrowserContext, set_id: str) -> None:
    page, _ = open_page(context, site.new_link(set_id, "undo")["url"])
    page.locator("tbody tr").first.wait_for()
    press(page, "12")
    press(page, "]")
    press(page, "x")
    press(page, "zzz")
    assert page.locator("#set-title").inner_text().startswith("Set 1 of ")
    press(page, "ZZ")
    wait_until_saved(page)
    assert eventually(lambda: site.answers_of(set_id, "undo") or None) == {"0": 1, "1": 2}


def test_answers_given_offline_are_kept_and_saved_later(site: LabelingSite, context: BrowserContext, set_id: str) -> None:
    page, _ = open_page(context, site.new_link(set_id, "offline")["url"])
    page.locator("tbody tr").first.wait_for()
    context.set_offline(True)
    press(page, "11")
    page.locator("#save-state", has_text="Kept in this browser").wait_for()
    assert site.answers_of(set_id, "offline") == {}
    context.set_offline(False)
    wait_until_saved(page)
    assert site.answers_of(set_id, "offline") == {"0": 1, "1": 1}


def test_answers_outlive_a_page_that_dies_before_they_are_saved(
    site: LabelingSite, context: BrowserContext, set_id: str
) -> None:
    url = site.new_link(set_id, "crash")["url"]
    page, _ = open_page(context, url)
    page.locator("tbody tr").first.wait_for()
    page.route("**/answers", lambda route: route.abort())
    press(page, "x2")
    page.locator("#save-state", has_text="Kept in this browser").wait_for()
    page.close()
    again, _ = open_page(context, url)
    wait_until_saved(again)
    eventually(lambda: site.answers_of(set_id, "crash") == {"0": "alone", "1": 2} or None)


def test_two_tabs_keep_both_and_ask_about_the_same_row_alone(site: LabelingSite, context: BrowserContext, set_id: str) -> None:
    url = site.new_link(set_id, "tabs")["url"]
    first, _ = open_page(context, url)
    second, _ = open_page(context, url)
    for page in (first, second):
        page.locator("tbody tr").first.wait_for()
    press(first, "1")
    wait_until_saved(first)
    second.keyboard.press("ArrowDown")
    press(second, "x")
    wait_until_saved(second)
    eventually(lambda: site.answers_of(set_id, "tabs") == {"0": 1, "1": "alone"} or None)

    press(first, "2")  # the second row, which the other tab has answered
    first.get_by_text("Two different answers for the same row").wait_for()
    first.get_by_role("button", name="Take the other: alone").click()
    wait_until_saved(first)
    assert site.answers_of(set_id, "tabs") == {"0": 1, "1": "alone"}


def test_revoked_link_keeps_the_answers_and_a_new_one_goes_on(site: LabelingSite, context: BrowserContext, set_id: str) -> None:
    link = site.new_link(set_id, "revoked")
    page, _ = open_page(context, link["url"])
    page.locator("tbody tr").first.wait_for()
    site.api.revoke_link(set_id, link["linkId"])
    press(page, "1")
    page.get_by_text("This link was withdrawn. Ask whoever sent it for a new one. Your answers are kept").wait_for()
    page.close()
    again, _ = open_page(context, site.new_link(set_id, "revoked")["url"])
    wait_until_saved(again)
    eventually(lambda: site.answers_of(set_id, "revoked") == {"0": 1} or None)


def test_mangled_link_is_explained_and_shows_nothing(site: LabelingSite, context: BrowserContext, set_id: str) -> None:
    url = site.new_link(set_id)["url"]
    for wrong in (url[:-3], url.partition("#")[0]):
        fresh, _ = open_page(context, wrong)
        fresh.get_by_text("This link is not valid; ask whoever sent it.").wait_for()
        assert fresh.locator("tbody tr").count() == 0
        fresh.close()


def test_link_without_the_right_to_import_only_checks(site: LabelingSite, context: BrowserContext, set_id: str) -> None:
    page, _ = open_page(context, site.new_link(set_id, "reader", mayImport=False)["url"])
    page.locator("tbody tr").first.wait_for()
    press(page, "s")
    wait_until_saved(page)
    page.get_by_role("button", name="Check", exact=True).click()
    page.get_by_text("This link cannot start the import").wait_for()
    assert page.get_by_role("button", name="Import these labels").count() == 0


def test_set_that_was_changed_in_s3_is_not_labeled(site: LabelingSite, context: BrowserContext) -> None:
    set_id = site.new_set("page-changed")
    url = site.new_link(set_id)["url"]
    path = site.api.get_labeling_set(set_id).body["objectS3Path"]
    bucket, _, key = path.removeprefix("s3://").partition("/")
    s3 = site.stack.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=s3.get_object(Bucket=bucket, Key=key)["Body"].read() + b"\n")
    page, _ = open_page(context, url)
    page.get_by_text("The labeling set's file has changed since this link was made. Nothing is imported.").wait_for()


def test_blind_link_shows_neither_suggestions_nor_marks(site: LabelingSite, context: BrowserContext, set_id: str) -> None:
    page, _ = open_page(context, site.new_link(set_id, "blind", blind=True)["url"])
    page.locator("tbody tr").first.wait_for()
    assert page.locator("[data-command=accept]").is_hidden()
    assert page.locator(".suggested, td.equal, td.near").count() == 0


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")])
def test_page_is_accessible_and_never_scrolls_sideways(
    site: LabelingSite, browser: Browser, set_id: str, width: int, scheme: str
) -> None:
    # axe injects its script, which the page's policy forbids: hence bypass_csp, here alone.
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page, _ = open_page(context, site.new_link(set_id, f"axe-{scheme}-{width}")["url"])
    page.locator("tbody tr").first.wait_for()
    press(page, "1x2u")
    for dialog in ("", "?", "v"):
        press(page, dialog)
        violations = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == []
        if not dialog:
            page.screenshot(path=SCREENSHOT.with_stem(f"labeling-page-{scheme}-{width}"))
        page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_quality_after_earlier_rounds_tells_whether_to_go_on(site: LabelingSite, context: BrowserContext, set_id: str) -> None:
    run_id = site.api.start_evaluation_run("page-evaluation", site.transform_id).body["id"]
    metrics = eventually(lambda: task_run_if(site.api, run_id, "SUCCEEDED"))["metrics"]
    page, _ = open_page(context, site.new_link(set_id, "rounds")["url"])
    page.get_by_role("button", name="Earlier rounds").click()
    assert f"{metrics['f1']:.3f}" in page.locator("#dialog-body").inner_text()
    page.get_by_text("After another round there is something to compare with.").wait_for()


def test_import_that_fails_is_told_and_may_be_repeated(site: LabelingSite, context: BrowserContext) -> None:
    set_id = site.new_set("page-failed")
    page, _ = open_page(context, site.new_link(set_id)["url"])
    page.locator("tbody tr").first.wait_for()
    for _ in range(page.locator("#sets li").count()):
        press(page, "".join(site.true_answers(page)) + "]")
    wait_until_saved(page)
    s3, key = site.stack.client("s3"), "page/records.jsonl"
    table = s3.get_object(Bucket=site.stack.bucket, Key=key)["Body"].read()
    s3.delete_object(Bucket=site.stack.bucket, Key=key)
    page.get_by_role("button", name="Check and import").click()
    page.get_by_role("button", name="Import these labels").click()
    page.get_by_text("The import ended as FAILED").wait_for(timeout=120_000)
    s3.put_object(Bucket=site.stack.bucket, Key=key, Body=table)

    page.get_by_role("button", name="Check and import").click()
    page.get_by_role("button", name="Import these labels").click()
    page.get_by_text("The labels are imported. Thank you.").wait_for(timeout=120_000)
    runs = site.api.list_task_runs(transformId=site.transform_id, taskType="IMPORT_LABELS").body["items"]
    assert sorted(run["status"] for run in runs if run["labelingSetId"] == set_id) == ["FAILED", "SUCCEEDED"]
    assert task_run_if(site.api, runs[0]["id"], "SUCCEEDED")
