"""The template has the settings, handlers, routes and table that the service documents."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from core.aws.items import RUN_KINDS
from core.aws.queue_item import MAX_ENTRIES
from core.open_runs import SHARDS
from core.runs import RUN_ID_LENGTH
from tests.template.permissions import policy_name

SRC = Path(__file__).resolve().parents[2] / "src"
ACCOUNT = "arn:aws:iam::123456789012"
SETTINGS = {
    "LEDGER_TABLE",
    "EVENT_BUS_NAME",
    "ALLOWED_S3_PREFIXES",
    "CONFIRM_AFTER_SECONDS",
    "START_DEADLINE_SECONDS",
    "MAX_QUEUED_PER_TRANSFORM",
    "RETENTION_DAYS",
    "AWS_ENDPOINT_URL",
}
MORE_SETTINGS = {
    "UNPUBLISHED_CHANGES_URL",
    "CALLER_S3_PREFIXES",
    "CALLER_TRANSFORMS",
    "SHARE_RUNS",
    "OPERATORS",
    "RECONCILE_PARTS",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "PYDANTIC_DISABLE_PLUGINS",
}
ROUTES = {
    ("POST", "/v1/labeling-set-runs"),
    ("POST", "/v1/label-import-runs"),
    ("POST", "/v1/evaluation-runs"),
    ("POST", "/v1/label-export-runs"),
    ("GET", "/v1/task-runs"),
    ("GET", "/v1/task-runs/{id}"),
    ("POST", "/v1/task-runs/{id}/cancellation"),
    ("GET", "/v1/labeling-sets/{id}"),
    ("GET", "/v1/labeling-sets/{id}/answers"),
    ("GET", "/v1/labeling-sets/{id}/agreement"),
    ("GET", "/v1/labeling-sets/{id}/consensus.csv"),
    ("GET", "/v1/labeling-sets/{id}/links"),
    ("POST", "/v1/labeling-sets/{id}/links"),
    ("DELETE", "/v1/labeling-sets/{id}/links/{linkId}"),
    ("GET", "/v1/openapi.json"),
}
LABEL_ROUTES = {
    ("GET", "/label"),
    ("GET", "/v1/labeling-sets/{id}"),
    ("PUT", "/v1/labeling-sets/{id}/answers"),
    ("GET", "/v1/labeling-sets/{id}/check"),
    ("POST", "/v1/labeling-sets/{id}/submission"),
    ("GET", "/v1/labeling-sets/{id}/submission"),
    ("GET", "/v1/labeling-sets/{id}/labels.csv"),
    ("PUT", "/v1/labeling-sets/{id}/labels.csv"),
    ("ANY", "/{proxy+}"),
}


def test_functions_have_exactly_these_environment_variables(template: dict[str, Any], functions: dict[str, Any]) -> None:
    assert set(template["Globals"]["Function"]["Environment"]["Variables"]) == SETTINGS | MORE_SETTINGS
    own = {name: set(function["Environment"]["Variables"]) for name, function in functions.items() if "Environment" in function}
    assert own == {"ApiFunction": {"LABEL_URL", "LINK_MAX_SECONDS"}}


def test_parameters_have_their_documented_defaults(template: dict[str, Any]) -> None:
    default = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
    assert default["ConfirmAfterSeconds"] == 120
    assert default["StartDeadlineSeconds"] == 86_400
    assert default["MaxQueuedPerTransform"] == 100
    assert default["RetentionDays"] == 90
    assert default["AllowedS3Prefixes"] == ""
    assert default["EndpointUrl"] == ""
    assert default["ReconcileSchedule"] == "rate(1 minute)"


def test_times_that_would_start_a_run_twice_or_never_are_rejected(template: dict[str, Any]) -> None:
    least = {name: template["Parameters"][name]["MinValue"] for name in ("ConfirmAfterSeconds", "StartDeadlineSeconds")}
    assert least == {"ConfirmAfterSeconds": 60, "StartDeadlineSeconds": 600}


@pytest.mark.parametrize(
    ("arns", "is_valid"),
    [
        ("", True),
        (f"{ACCOUNT}:role/ops", True),
        (f"{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Ops_0123", True),
        (f"{ACCOUNT}:user/olga,{ACCOUNT}:root", True),
        ("*", False),
        (f"{ACCOUNT}:role/*", False),
        (f"{ACCOUNT}:role/ops,", False),
        ("arn:aws:sts::123456789012:assumed-role/ops/session", False),
    ],
)
def test_operators_are_roles_and_users(template: dict[str, Any], arns: str, is_valid: bool) -> None:  # noqa: FBT001  a table's column
    assert bool(re.search(template["Parameters"]["OperatorArns"]["AllowedPattern"], arns)) == is_valid
    assert template["Parameters"]["ShareRuns"]["Default"] == "false"


def test_every_handler_exists(functions: dict[str, Any]) -> None:
    assert {function["Handler"] for function in functions.values()} == {
        "handlers.api.handler",
        "handlers.bus.handler",
        "handlers.schedule.handler",
        "handlers.announce.handler",
        "handlers.label.handler",
    }
    for function in functions.values():
        module, name = function["Handler"].rsplit(".", 1)
        path = SRC / module.replace(".", "/")
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        tree = ast.parse(source.read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_functions_run_python_313_on_arm64_by_default(template: dict[str, Any]) -> None:
    shared = template["Globals"]["Function"]
    assert shared["Runtime"] == "python3.13"
    assert shared["Architectures"] == [{"Ref": "Architecture"}]
    assert template["Parameters"]["Architecture"]["Default"] == "arm64"


def test_every_route_is_declared_on_its_own(functions: dict[str, Any]) -> None:
    assert {route for route in _routes(functions["ApiFunction"]) if route[0] != "ANY"} == ROUTES


def test_the_function_itself_answers_other_methods_and_paths(functions: dict[str, Any]) -> None:
    paths = {path for method, path in _routes(functions["ApiFunction"]) if method == "ANY"}
    assert paths == {path for _, path in ROUTES} | {"/{proxy+}"}


def test_every_route_requires_a_signature_and_only_execute_api_invoke(resources: dict[str, Any]) -> None:
    auth = resources["Api"]["Properties"]["Auth"]
    assert (auth["DefaultAuthorizer"], auth["InvokeRole"]) == ("AWS_IAM", "NONE")
    events = resources["ApiFunction"]["Properties"]["Events"].values()
    assert not [event for event in events if "Auth" in event["Properties"]]


def test_the_labeling_page_is_an_api_of_its_own_that_is_off_by_default(
    template: dict[str, Any], resources: dict[str, Any], functions: dict[str, Any]
) -> None:
    """A route without a signature on the other API would be refused on AWS, by that API's resource policy."""
    assert template["Parameters"]["LabelingPage"]["Default"] == "false"
    assert _routes(functions["LabelFunction"]) == LABEL_ROUTES
    assert {event["Properties"]["RestApiId"]["Ref"] for event in functions["LabelFunction"]["Events"].values()} == {"LabelApi"}
    named = [name for name in resources if name.startswith("Label") and not name.startswith("LabelFile")]
    assert {resources[name]["Condition"] for name in named} == {"HasLabelingPage"}
    settings = resources["LabelApi"]["Properties"]["MethodSettings"][0]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (20, 40)
    assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)


def test_the_labeling_page_is_private_where_the_api_is(resources: dict[str, Any]) -> None:
    page, api = (resources[name]["Properties"] for name in ("LabelApi", "Api"))
    assert page["EndpointConfiguration"] == api["EndpointConfiguration"]
    allow, private = page["Auth"]["ResourcePolicy"]["CustomStatements"]
    assert (allow["Effect"], allow["Principal"], "Condition" in allow) == ("Allow", "*", False)
    assert private == api["Auth"]["ResourcePolicy"]["CustomStatements"][-1]
    assert private["Fn::If"][0] == "IsPrivate"


def test_only_changes_of_runs_wake_the_announcer(functions: dict[str, Any]) -> None:
    (event,) = functions["AnnounceFunction"]["Events"].values()
    (accepted,) = event["Properties"]["FilterCriteria"]["Filters"]
    pattern = json.loads(accepted["Pattern"])
    assert pattern["eventName"] == ["INSERT", "MODIFY"]
    (prefix,) = pattern["dynamodb"]["NewImage"]["kind"]["S"]
    assert all(kind.startswith(prefix["prefix"]) for kind in RUN_KINDS)


def test_the_api_lists_only_folders_of_runs(resources: dict[str, Any]) -> None:
    (statement,) = [
        statement
        for statement in resources["ApiRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        if statement["Action"] == "s3:ListBucket"
    ]
    run = "?" * RUN_ID_LENGTH
    assert statement["Condition"] == {"StringLike": {"s3:prefix": [f"{run}/", f"*/{run}/"]}}


def test_nothing_is_reserved_by_default_but_one_reconciler_at_a_time_is_a_parameter(
    template: dict[str, Any], functions: dict[str, Any]
) -> None:
    """A new account has 10 concurrent executions. Lambda rejects any reservation there, and with it the whole deployment."""
    assert template["Parameters"]["ReconcileConcurrency"]["Default"] == 0
    assert template["Conditions"]["ReservesConcurrency"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ReconcileConcurrency"}, 0]}]}
    reserved = functions["ScheduleFunction"]["ReservedConcurrentExecutions"]["Fn::If"]
    assert reserved[:2] == ["ReservesConcurrency", {"Ref": "ReconcileConcurrency"}]


def test_the_ledger_is_protected_and_backed_up(template: dict[str, Any], resources: dict[str, Any]) -> None:
    ledger = resources["Ledger"]["Properties"]
    assert ledger["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert ledger["DeletionProtectionEnabled"] == {"Ref": "LedgerDeletionProtection"}
    assert template["Parameters"]["LedgerDeletionProtection"]["Default"] == "true"
    assert ledger["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}
    assert ledger["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert ledger["BillingMode"] == "PAY_PER_REQUEST"


def test_the_largest_queue_is_what_its_item_has_room_for(template: dict[str, Any]) -> None:
    assert template["Parameters"]["MaxQueuedPerTransform"]["MaxValue"] == MAX_ENTRIES


def test_a_round_has_at_most_as_many_parts_as_there_are_shards(template: dict[str, Any], resources: dict[str, Any]) -> None:
    parts = template["Parameters"]["ReconcileParts"]
    assert (parts["Default"], parts["MinValue"], parts["MaxValue"]) == (1, 1, len(SHARDS))
    policy = resources["RoundPartsPolicy"]
    assert (policy["Condition"], policy["Properties"]["Roles"]) == ("SharesRounds", [{"Ref": "ScheduleRole"}])
    assert template["Conditions"]["SharesRounds"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ReconcileParts"}, 1]}]}


def test_the_announcer_is_updated_before_the_functions_that_write_the_ledger(resources: dict[str, Any]) -> None:
    """The one of the last release would ignore items of a new form, and their events would be lost."""
    writers = {name for name, role in _roles(resources).items() if "LedgerPolicy" in role}
    assert {name for name, resource in resources.items() if resource.get("DependsOn") == "AnnounceFunction"} == writers
    assert writers == {"ApiFunction", "LabelFunction", "BusFunction", "ScheduleFunction"}


def test_the_ledger_has_its_four_indexes(resources: dict[str, Any]) -> None:
    indexes = resources["Ledger"]["Properties"]["GlobalSecondaryIndexes"]
    keys = {index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]] for index in indexes}
    assert keys == {
        "open": ["openShard", "openKey"],
        "byTime": ["kind", "requestedKey"],
        "byCaller": ["requestedBy", "requestedKey"],
        "byTransform": ["transformId", "requestedKey"],
    }
    projections = {index["IndexName"]: index["Projection"]["ProjectionType"] for index in indexes}
    assert projections == {"open": "INCLUDE", "byTime": "ALL", "byCaller": "INCLUDE", "byTransform": "ALL"}


def _routes(function: dict[str, Any]) -> set[tuple[str, str]]:
    events = [event["Properties"] for event in function["Events"].values()]
    return {(event["Method"], event["Path"]) for event in events}


def _roles(resources: dict[str, Any]) -> dict[str, set[str]]:
    """Each function's managed policies."""
    roles = {
        name: resource["Properties"]["Role"]["Fn::GetAtt"][0]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    return {name: set(map(policy_name, resources[role]["Properties"]["ManagedPolicyArns"])) for name, role in roles.items()}
