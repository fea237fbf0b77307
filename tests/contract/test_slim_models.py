"""The models that are deployed: every operation that the adapters use is in them, and is what it is in botocore's own."""

import ast
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import botocore
import pytest
from boto3.session import Session
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.regions import EndpointResolver

from core.aws.items import to_item
from core.aws.queue_item import line_operation
from core.runs import Status
from core.transform_queue import queue_move
from ops.package.botocore_data import slim_data
from ops.package.models import slim_service
from ops.package.operations import called_on_clients, services_of, used_operations
from tests.contract.runs import importing
from tests.contract.sent import sent_to
from tests.contract.slim import FULL, SERVICES, SRC, session_on, slim_loader


@pytest.fixture(scope="module")
def slim(tmp_path_factory: pytest.TempPathFactory) -> Loader:
    return slim_loader(tmp_path_factory.mktemp("data"))


@pytest.fixture
def session(slim: Loader) -> Session:
    return session_on(slim)


def test_the_clients_that_are_wired_are_those_whose_models_are_slim(slim: Loader) -> None:
    assert services_of(SRC.rglob("*.py")) == set(SERVICES) == set(slim.list_available_services("service-2"))


# --- nothing that the adapters call is missing


def asked_of_clients(code: str) -> set[str]:
    """What `code` calls on whatever is called a client or a starter, and the operations that it pages through."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and _called(node.value).lstrip("_") in ("client", "starter"):
            found.add(node.attr)
        if isinstance(node, ast.Call) and _called(node.func) in ("get_paginator", "get_waiter"):
            assert isinstance(node.args[0], ast.Constant), "an operation that nobody can read"
            found.add(str(node.args[0].value))
    return found


def _called(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def missing(code: str, session: Session) -> set[str]:
    """What `code` asks of its client, and no client made of the session's models has."""
    make: Any = session.client
    clients = [make(service) for service in SERVICES]
    return {name for name in asked_of_clients(code) if not any(hasattr(client, name) for client in clients)}


@pytest.mark.parametrize("adapter", sorted((SRC / "core" / "aws").glob("*.py")), ids=lambda path: path.stem)
def test_every_adapter_finds_what_it_calls(adapter: Path, session: Session) -> None:
    assert missing(adapter.read_text(), session) == set()


def test_the_adapters_do_call_something() -> None:
    asked = {name for path in (SRC / "core" / "aws").glob("*.py") for name in asked_of_clients(path.read_text())}
    assert {"transact_write_items", "query", "start_import_labels_task_run", "put_events", "get_object"} <= asked


def test_a_call_that_the_models_lack_is_seen(session: Session) -> None:
    code = "class A:\n def b(self): self._client.delete_ml_transform(TransformId=''); self._client.get_item()"
    assert missing(code, session) == {"delete_ml_transform"}
    assert missing("def b(client): client.get_paginator('scan').paginate()", session) == {"scan"}


def test_a_call_more_in_the_code_is_an_operation_more_in_the_models(tmp_path: Path) -> None:
    (tmp_path / "adapter.py").write_text("class A:\n def b(self): return self._client.batch_get_item(RequestItems={})")
    (tmp_path / "pages.py").write_text("def b(client): return client.get_paginator('scan')")
    (tmp_path / "wiring.py").write_text("def c(session): return session.client('dynamodb')")
    model = slim_data(tmp_path)["dynamodb/2012-08-10/service-2"]
    assert set(model["operations"]) == {"BatchGetItem", "Scan", "DescribeEndpoints"}


def test_what_botocore_calls_by_itself_is_there(session: Session) -> None:
    """S3's redirects to a bucket's own region ask for the bucket; its express buckets want a session."""
    its_own = called_on_clients(Path(botocore.__file__).parent.glob("*.py"))
    make: Any = session.client
    assert {"head_bucket", "create_session"} <= its_own
    assert all(hasattr(make("s3"), name) for name in ("head_bucket", "create_session"))


# --- and what is there is what it was


@pytest.mark.parametrize("service", SERVICES)
def test_each_operation_is_as_in_the_full_model(service: str, slim: Loader) -> None:
    ours, full = model(slim, service), model(FULL, service)
    assert ours.operation_names
    for name in ours.operation_names:
        assert described(ours.operation_model(name)) == described(full.operation_model(name))


@pytest.mark.parametrize("service", SERVICES)
def test_each_error_is_as_in_the_full_model(service: str, slim: Loader) -> None:
    ours: Any = model(slim, service)
    full: Any = model(FULL, service)
    codes = [shape.error_code for shape in full.error_shapes]
    assert [shape.error_code for shape in ours.error_shapes] == codes
    for code in codes:
        assert shape_of(ours.shape_for_error_code(code)) == shape_of(full.shape_for_error_code(code))


@pytest.mark.parametrize("service", SERVICES)
def test_the_service_and_its_endpoints_are_as_in_the_full_model(service: str, slim: Loader) -> None:
    ours, full = model(slim, service), model(FULL, service)
    assert ours.metadata == full.metadata
    assert ours.client_context_parameters == full.client_context_parameters
    rules = [loader.load_service_model(service, "endpoint-rule-set-1") for loader in (slim, FULL)]
    assert rules[0] == rules[1]
    told = [EndpointResolver(loader.load_data("endpoints"), uses_builtin_data=True) for loader in (slim, FULL)]
    assert told[0].get_available_partitions() == told[1].get_available_partitions()
    prefix = full.metadata["endpointPrefix"]
    for partition in told[1].get_available_partitions():
        regions = told[1].get_available_endpoints(prefix, partition)
        assert told[0].get_available_endpoints(prefix, partition) == regions
        for region in regions:
            assert told[0].construct_endpoint(prefix, region) == told[1].construct_endpoint(prefix, region)


def test_an_operation_that_lost_something_is_seen() -> None:
    whole = FULL.load_service_model("dynamodb", "service-2")
    cut = slim_service(whole, {"PutItem"})
    del cut["shapes"]["PutItemInput"]["members"]["ConditionExpression"]
    operation = ServiceModel(cut, "dynamodb").operation_model("PutItem")
    assert described(operation) != described(model(FULL, "dynamodb").operation_model("PutItem"))


def test_no_operation_is_kept_that_nobody_names() -> None:
    whole = FULL.load_service_model("dynamodb", "service-2")
    names = {operation: xform_name(operation) for operation in whole["operations"]}
    assert used_operations(whole, names, {"get_item", "put_events"}) == {"GetItem", "DescribeEndpoints"}


def test_values_have_the_types_that_the_ledger_has_and_no_other(slim: Loader) -> None:
    ours, full = values(slim), values(FULL)
    run = importing(status=Status.QUEUED)
    line = line_operation("ledger", run, queue_move(None, run), None, 3)
    used = types_in([to_item(run, timedelta(days=1)), line])
    assert used == {"S", "N", "BOOL", "L"} == set(ours)
    for name in used:
        assert shape_of(ours[name]) == shape_of(full[name])


def values(loader: Loader) -> dict[str, Any]:
    shape: Any = model(loader, "dynamodb").shape_for("AttributeValue")
    return dict(shape.members)


def types_in(node: Any) -> set[str]:  # noqa: ANN401  any of botocore's arguments
    """The types of all of DynamoDB's values at any depth."""
    if isinstance(node, list):
        return {name for one in node for name in types_in(one)}
    if not isinstance(node, dict):
        return set()
    every = set(values(FULL))
    own = set(node) if len(node) == 1 and set(node) <= every else set()
    return own | {name for one in node.values() for name in types_in(one)}


# --- and by its rules, which it has for FIPS and dual stack, a transaction goes where it went


@pytest.mark.parametrize("account", [None, "123456789012"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1"])
def test_a_transaction_goes_where_it_went(slim: Loader, region: str, account: str | None) -> None:
    found, _ = transaction_sent_to(slim, region, account)
    assert found == transaction_sent_to(FULL, region, account)[0]
    if account is None:
        assert found.startswith(f"https://dynamodb.{region}.")


def transaction_sent_to(loader: Loader, region: str, account: str | None) -> tuple[str, str]:
    session = session_on(loader)
    session._session.set_credentials("test", "test", account_id=account)  # noqa: SLF001  boto3 has no other way
    return sent_to(session.client("dynamodb", region_name=region))


# --- comparing


def model(loader: Loader, service: str) -> ServiceModel:
    return ServiceModel(loader.load_service_model(service, "service-2"), service)


def described(operation: Any) -> dict[str, Any]:  # noqa: ANN401  the stubs leave out half of what a model has
    """All that botocore reads of an operation, its shapes written out; but what is written for people."""
    raw = {name: value for name, value in operation._operation_model.items() if name != "documentation"}  # noqa: SLF001  all of it
    return {
        "model": json.loads(json.dumps(raw, default=str), object_hook=_undocumented),
        "input": shape_of(operation.input_shape),
        "output": shape_of(operation.output_shape),
        "errors": [shape_of(one) for one in operation.error_shapes],
        "checksum": operation.http_checksum,
        "auth": operation.auth_type,
        "paging": operation.idempotent_members,
        "context": operation.operation_context_parameters,
    }


def _undocumented(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if not (name == "documentation" and isinstance(value, str))}


def shape_of(shape: Any, within: tuple[str, ...] = ()) -> Any:  # noqa: ANN401  see above
    if shape is None or shape.name in within:  # DynamoDB's values hold values
        return shape and shape.name
    inside = (*within, shape.name)
    told: dict[str, Any] = {"name": shape.name, "type": shape.type_name, "how": shape.serialization, "what": shape.metadata}
    if shape.name == "AttributeValue":
        return told  # a value's types: see below
    if shape.type_name == "structure":
        told["members"] = {name: shape_of(member, inside) for name, member in shape.members.items()}
    elif shape.type_name == "list":
        told["member"] = shape_of(shape.member, inside)
    elif shape.type_name == "map":
        told |= {"key": shape_of(shape.key, inside), "value": shape_of(shape.value, inside)}
    return told
