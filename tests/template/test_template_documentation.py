"""docs/operating.md documents every parameter, environment variable, log code, metric and alarm, and none that do not exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.template import code_names
from tests.template.permissions import as_list, properties_of_type

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text()
SOURCES = [path.read_text() for path in sorted((ROOT / "src").rglob("*.py"))]
METRICS = (ROOT / "src" / "handlers" / "metrics.py").read_text()
SECTIONS = ("Parameters", "Environment variables", "Log codes", "Metrics", "Runbook")


@pytest.fixture(scope="session")
def names(template: dict[str, Any], resources: dict[str, Any]) -> dict[str, set[str]]:
    """What template and code have: section of the page -> names that it should document."""
    set_by_template = set(environment(template))
    return {
        "Parameters": set(template["Parameters"]),
        "Environment variables": set_by_template.union(*map(code_names.environment_variables, SOURCES)),
        "Log codes": code_names.log_codes(*SOURCES),
        "Metrics": code_names.metrics(METRICS),
        "Runbook": {name for name, _ in properties_of_type(resources, "AWS::CloudWatch::Alarm")},
    }


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_documents_all_that_exists_and_nothing_else(names: dict[str, set[str]], section: str) -> None:
    assert set(documented(PAGE, section)) == names[section]
    assert not [name for name, text in documented(PAGE, section).items() if len(text.split()) < 3]


def test_parameters_are_documented_with_their_defaults(template: dict[str, Any]) -> None:
    defaults = {name: str(parameter["Default"]) or "none" for name, parameter in template["Parameters"].items()}
    assert {name: _cells(text)[0].strip("`") for name, text in documented(PAGE, "Parameters").items()} == defaults


def test_environment_variables_are_documented_with_what_sets_them(template: dict[str, Any]) -> None:
    sources = {name: _source(value) for name, value in environment(template).items()}
    assert {name: _cells(text)[0].strip("`") for name, text in documented(PAGE, "Environment variables").items()} == sources


def test_the_deployers_policy_covers_every_service_that_the_stack_uses(resources: dict[str, Any]) -> None:
    (block,) = re.findall(r"^```json\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
    statements = json.loads(block)["Statement"]
    actions = [action for statement in statements for action in as_list(statement["Action"])]
    # SAM's own types become resources of these services. The first three are what sam deploy and its canaries use.
    used = {"cloudformation", "s3", "codedeploy", "apigateway", "lambda", "scheduler"}
    nested = json.loads((ROOT / "docs" / "api" / "schemas.template.json").read_text())["Resources"]
    for resource in (*resources.values(), *nested.values()):
        service = resource["Type"].split("::")[1]
        if service != "Serverless":
            used.add({"EventSchemas": "schemas"}.get(service, service.lower()))
    assert {action.split(":")[0] for action in actions} == used
    policies_and_roles = {f"iam:{verb}{kind}" for verb in ("Create", "Delete", "Get", "Tag") for kind in ("Policy", "Role")}
    assert policies_and_roles | {"iam:PassRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"} <= set(actions)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_missing_name_is_detected_in_every_section(names: dict[str, set[str]], section: str) -> None:
    """Proof that the test above can fail: without its row or heading, each name is missing."""
    for name in names[section]:
        shortened = re.sub(rf"^(\| `{name}` \||### {name}\n).*", "", PAGE, flags=re.MULTILINE)
        assert set(documented(shortened, section)) == names[section] - {name}


@pytest.mark.parametrize(
    "source",
    [
        '_log.warning("NEW_CODE")',
        'def f():\n    wiring.logger().info("NEW_CODE", extra={})',
        'def f(good):\n    code = "NEW_CODE" if good else "OTHER_CODE"\n    _log.info(code)',
        'def f(code, run):\n    _log.info(code)\ndef g(run, code):\n    f(code, run)\ng(1, "NEW_CODE")',
    ],
)
def test_log_codes_are_found_wherever_they_are_logged(source: str) -> None:
    assert "NEW_CODE" in code_names.log_codes(source)


def test_log_codes_are_found_in_calls_from_other_modules() -> None:
    logging = "def record(code):\n    _log.info(code)\ndef _record(code):\n    _log.info(code)\n_record('OWN')"
    assert code_names.log_codes(logging, "m.record('NEW_CODE')", "_record('ANOTHERS')") == {"OWN", "NEW_CODE"}


def test_a_log_code_that_cannot_be_determined_is_an_error() -> None:
    with pytest.raises(ValueError, match="line 2: the log code"):
        code_names.log_codes('def f(run):\n    _log.info(f"RUN_{run.status}")')


def test_every_logging_call_is_recognized() -> None:
    """Any call of a logging method with a text like a code is a call that log_codes reads."""
    pattern = re.compile(r'\.(?:debug|info|warning|error|exception|critical)\(\s*"([A-Z_]{4,})"')
    written = {code for source in SOURCES for code in pattern.findall(source)}
    assert written
    assert written <= code_names.log_codes(*SOURCES)


@pytest.mark.parametrize(
    "source",
    ['name: Annotated[str, Field(alias="NEW_VARIABLE")]', 'os.environ.get("NEW_VARIABLE", "x")', 'os.environ["NEW_VARIABLE"]'],
)
def test_environment_variables_are_found_wherever_they_are_read(source: str) -> None:
    assert code_names.environment_variables(source) == {"NEW_VARIABLE"}


@pytest.mark.parametrize("source", ['_emit({"NewMetric": 1})', '_emit({"NewMetric" if replayed else "Other": 1})'])
def test_metrics_are_found_wherever_they_are_sent(source: str) -> None:
    assert "NewMetric" in code_names.metrics(source)


def environment(template: dict[str, Any]) -> dict[str, Any]:
    """The variables of all functions, and those of the API's function alone."""
    own = template["Resources"]["ApiFunction"]["Properties"]["Environment"]["Variables"]
    return {**template["Globals"]["Function"]["Environment"]["Variables"], **own}


def _source(value: Any) -> str:  # noqa: ANN401 - a template's value
    """What a variable is set from: a parameter, a resource, or the value itself."""
    match value:
        case {"Ref": name}:
            return str(name)
        case {"Fn::If": ["HasLabelingPage", *_]}:
            return "LabelApi"
        case _:
            return str(value)


def documented(page: str, section: str) -> dict[str, str]:
    """Name -> its text: of each row of the section's table, or of each heading of the runbook."""
    match = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert match, f"docs/operating.md has no section {section}"
    rows = re.findall(r"^\| `([\w]+)` \| (.+) \|$", match[1], re.MULTILINE)
    headings = re.findall(r"^### (\w+)\n(.+?)(?=^### |\Z)", match[1], re.MULTILINE | re.DOTALL)
    assert len(dict(rows + headings)) == len(rows + headings), f"a name appears twice in {section}"
    return dict(rows + headings)


def _cells(row: str) -> list[str]:
    return row.split(" | ")
