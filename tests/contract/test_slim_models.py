"""The reduced botocore models that are deployed hold every operation that the adapters use, unchanged."""

import ast
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
from core.aws.queue_item import queue_operation
from core.runs import Status
from core.transform_queue import queue_move
from ops.package.botocore_data import slim_data
from ops.package.slim_models import slim_service
from ops.package.used_operations import called_on_clients, services_of, used_operations
from tests.contract.model_comparison import described, model, shape_of, types_in, values
from tests.contract.request_target import request_target
from tests.contract.sample_runs import importing
from tests.contract.slim_models import FULL, SERVICES, SRC, session_on, slim_loader


@pytest.fixture(scope="module")
def slim(tmp_path_factory: pytest.TempPathFactory) -> Loader:
    return slim_loader(tmp_path_factory.mktemp("data"))


@pytest.fixture
def session(slim: Loader) -> Session:
    return session_on(slim)


def test_slim_models_cover_exactly_the_wired_services(slim: Loader) -> None:
    assert services_of(SRC.rglob("*.py")) == set(SERVICES) == set(slim.list_available_services("service-2"))


# --- every operation that the adapters call is there


def calls_on_clients(code: str) -> set[str]:
    """The methods that `code` calls on a `client` or `starter`, and the operations that it pages through."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and _called(node.value).lstrip("_") in ("client", "starter"):
            names.add(node.attr)
        if isinstance(node, ast.Call) and _called(node.func) in ("get_paginator", "get_waiter"):
            assert isinstance(node.args[0], ast.Constant), "a computed operation name"
            names.add(str(node.args[0].value))
    return names


def _called(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def missing(code: str, session: Session) -> set[str]:
    """The operations that `code` calls and that no client of the session has."""
    make: Any = session.client
    clients = [make(service) for service in SERVICES]
    return {name for name in calls_on_clients(code) if not any(hasattr(client, name) for client in clients)}


@pytest.mark.parametrize("adapter", sorted((SRC / "core" / "aws").glob("*.py")), ids=lambda path: path.stem)
def test_slim_models_have_every_operation_that_adapters_call(adapter: Path, session: Session) -> None:
    assert missing(adapter.read_text(), session) == set()


def test_calls_of_the_adapters_are_found() -> None:
    names = {name for path in (SRC / "core" / "aws").glob("*.py") for name in calls_on_clients(path.read_text())}
    assert {"transact_write_items", "query", "start_import_labels_task_run", "put_events", "get_object"} <= names


def test_missing_operation_is_detected(session: Session) -> None:
    code = "class A:\n def b(self): self._client.delete_ml_transform(TransformId=''); self._client.get_item()"
    assert missing(code, session) == {"delete_ml_transform"}
    assert missing("def b(client): client.get_paginator('scan').paginate()", session) == {"scan"}


def test_new_call_in_the_code_adds_its_operation(tmp_path: Path) -> None:
    (tmp_path / "adapter.py").write_text("class A:\n def b(self): return self._client.batch_get_item(RequestItems={})")
    (tmp_path / "pages.py").write_text("def b(client): return client.get_paginator('scan')")
    (tmp_path / "wiring.py").write_text("def c(session): return session.client('dynamodb')")
    model = slim_data(tmp_path)["dynamodb/2012-08-10/service-2"]
    assert set(model["operations"]) == {"BatchGetItem", "Scan", "DescribeEndpoints"}


def test_operations_that_botocore_calls_itself_are_kept(session: Session) -> None:
    """S3 redirects call HeadBucket; express buckets need CreateSession."""
    operations = called_on_clients(Path(botocore.__file__).parent.glob("*.py"))
    make: Any = session.client
    assert {"head_bucket", "create_session"} <= operations
    assert all(hasattr(make("s3"), name) for name in ("head_bucket", "create_session"))


# --- and it equals the full model


@pytest.mark.parametrize("service", SERVICES)
def test_each_operation_equals_the_full_model(service: str, slim: Loader) -> None:
    slim_model, full = model(slim, service), model(FULL, service)
    assert slim_model.operation_names
    for name in slim_model.operation_names:
        assert described(slim_model.operation_model(name)) == described(full.operation_model(name))


@pytest.mark.parametrize("service", SERVICES)
def test_each_error_equals_the_full_model(service: str, slim: Loader) -> None:
    slim_model: Any = model(slim, service)
    full: Any = model(FULL, service)
    codes = [shape.error_code for shape in full.error_shapes]
    assert [shape.error_code for shape in slim_model.error_shapes] == codes
    for code in codes:
        assert shape_of(slim_model.shape_for_error_code(code)) == shape_of(full.shape_for_error_code(code))


@pytest.mark.parametrize("service", SERVICES)
def test_metadata_and_endpoints_equal_the_full_model(service: str, slim: Loader) -> None:
    slim_model, full = model(slim, service), model(FULL, service)
    assert slim_model.metadata == full.metadata
    assert slim_model.client_context_parameters == full.client_context_parameters
    rules = [loader.load_service_model(service, "endpoint-rule-set-1") for loader in (slim, FULL)]
    assert rules[0] == rules[1]
    resolvers = [EndpointResolver(loader.load_data("endpoints"), uses_builtin_data=True) for loader in (slim, FULL)]
    assert resolvers[0].get_available_partitions() == resolvers[1].get_available_partitions()
    prefix = full.metadata["endpointPrefix"]
    for partition in resolvers[1].get_available_partitions():
        regions = resolvers[1].get_available_endpoints(prefix, partition)
        assert resolvers[0].get_available_endpoints(prefix, partition) == regions
        for region in regions:
            assert resolvers[0].construct_endpoint(prefix, region) == resolvers[1].construct_endpoint(prefix, region)


def test_changed_operation_is_detected() -> None:
    service = FULL.load_service_model("dynamodb", "service-2")
    changed = slim_service(service, {"PutItem"})
    del changed["shapes"]["PutItemInput"]["members"]["ConditionExpression"]
    operation = ServiceModel(changed, "dynamodb").operation_model("PutItem")
    assert described(operation) != described(model(FULL, "dynamodb").operation_model("PutItem"))


def test_unused_operations_are_dropped() -> None:
    service = FULL.load_service_model("dynamodb", "service-2")
    names = {operation: xform_name(operation) for operation in service["operations"]}
    assert used_operations(service, names, {"get_item", "put_events"}) == {"GetItem", "DescribeEndpoints"}


def test_attribute_value_keeps_only_the_types_of_the_ledger(slim: Loader) -> None:
    slim_model, full = values(slim), values(FULL)
    run = importing(status=Status.QUEUED)
    queue = queue_operation("ledger", run, queue_move(None, run), None, 3)
    used = types_in([to_item(run, timedelta(days=1)), queue])
    assert used == {"S", "N", "BOOL", "L"} == set(slim_model)
    for name in used:
        assert shape_of(slim_model[name]) == shape_of(full[name])


# --- and a request goes to the same URL


@pytest.mark.parametrize("account", [None, "123456789012"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1"])
def test_transaction_url_equals_the_full_model(slim: Loader, region: str, account: str | None) -> None:
    url, _ = transaction_target(slim, region, account)
    assert url == transaction_target(FULL, region, account)[0]
    if account is None:
        assert url.startswith(f"https://dynamodb.{region}.")


def transaction_target(loader: Loader, region: str, account: str | None) -> tuple[str, str]:
    session = session_on(loader)
    session._session.set_credentials("test", "test", account_id=account)  # noqa: SLF001  boto3 has no other way
    return request_target(session.client("dynamodb", region_name=region))
