"""Where the local cloud (MiniStack) falls short of AWS in what this system relies on, and what is put in place.

Every change goes through `_part`, which fails at start-up when a release no longer has what is changed here, so that a newer
MiniStack is never adjusted blindly. Line numbers and behavior: MiniStack 1.5.33.
"""

import functools
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from time import sleep
from types import ModuleType
from typing import Any

from ministack.core import iam_actions
from ministack.services import apigateway_v1, eventbridge, lambda_svc, scheduler
from ministack.services.cloudformation import provisioners

ANY_METHOD = "x-amazon-apigateway-any-method"
GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"
THROTTLE_PAUSE_SECONDS = 0.2

# Set while a function is invoked asynchronously: AWS keeps a throttled event and tries again, for hours.
_asynchronous: ContextVar[bool] = ContextVar("asynchronous", default=False)


class UnsupportedMiniStack(Exception):
    """This release lacks a part that has to be adjusted; the message names it."""


def apply_patches(schedule_tick_seconds: float) -> None:
    """Adjust the imported MiniStack. Raises UnsupportedMiniStack."""
    deliver_rule_targets_asynchronously()
    retry_throttled_events()
    retry_partial_batches()
    import_any_methods_and_gateway_responses()
    support_events_source_condition_key()
    keep_reserved_concurrency()
    allow_schedules_in_seconds(schedule_tick_seconds)


def deliver_rule_targets_asynchronously() -> None:
    """Rules and schedules invoke a function once and forget it: no retry, no on-failure destination."""
    _part(eventbridge, "_dispatch_to_lambda")
    find = _part(lambda_svc, "_get_func_record_for_ref")
    invoke = _part(lambda_svc, "invoke_async_with_retry")

    def dispatch(arn: str, payload: str) -> None:
        function, config, name = find(arn)
        if not function or not config:
            eventbridge.logger.warning("EventBridge: function %s not found", name)
            return
        token = _asynchronous.set(True)
        try:
            invoke(function, json.loads(payload))
        finally:
            _asynchronous.reset(token)

    _replace(eventbridge, "_dispatch_to_lambda", dispatch)


def retry_throttled_events() -> None:
    """An asynchronous invocation that meets the concurrency limit would count as a failed attempt."""
    execute = _part(lambda_svc, "_execute_function")

    @functools.wraps(execute)
    def wait_for_a_slot(function: dict[str, Any], event: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        result: dict[str, Any] = execute(function, event)
        while result.get("throttle") and _asynchronous.get():
            sleep(THROTTLE_PAUSE_SECONDS)
            result = execute(function, event)
        return result

    _replace(lambda_svc, "_execute_function", wait_for_a_slot)


def retry_partial_batches() -> None:
    """Stream batches count as done whatever `batchItemFailures` says: events would be lost.

    AWS goes on from the first failed record; here the whole batch comes again, which at-least-once allows.
    """
    _part(lambda_svc, "_poll_dynamodb_streams")
    execute = _part(lambda_svc, "_execute_function")

    @functools.wraps(execute)
    def report_failures(function: dict[str, Any], event: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        result: dict[str, Any] = execute(function, event)
        failures = list(_failed_items(event, result))
        if failures and not result.get("error"):
            body = {"errorType": "BatchItemFailures", "errorMessage": f"failed from {failures[0]} on"}
            return {**result, "error": True, "body": body}
        return result

    _replace(lambda_svc, "_execute_function", report_failures)


def import_any_methods_and_gateway_responses() -> None:
    """An imported OpenAPI document loses its ANY methods and its gateway responses."""
    import_api = _part(apigateway_v1, "_import_rest_api")
    import_operation = _part(apigateway_v1, "_import_operation")
    put_response = _part(apigateway_v1, "_put_gateway_response")
    methods = getattr(apigateway_v1, "_OPENAPI_HTTP_METHODS", None)
    if not isinstance(methods, set):
        raise UnsupportedMiniStack("apigateway_v1._OPENAPI_HTTP_METHODS is no set any more")

    def operation(api_id: str, resource_id: str, method: str, *rest: Any) -> Any:  # noqa: ANN401 - passed through
        return import_operation(api_id, resource_id, "ANY" if method.lower() == ANY_METHOD else method, *rest)

    def api(spec: Mapping[str, Any], base_data: Any = None) -> Any:  # noqa: ANN401 - passed through
        api_id = import_api(spec, base_data)
        for kind, response in (spec.get(GATEWAY_RESPONSES) or {}).items():
            put_response(api_id, kind, response)
        return api_id

    methods.add(ANY_METHOD)
    _replace(apigateway_v1, "_import_operation", operation)
    _replace(apigateway_v1, "_import_rest_api", api)


def support_events_source_condition_key() -> None:
    """The condition key `events:source` is unknown, so a policy that pins it would refuse everything."""
    tags = _part(iam_actions, "request_tag_context")

    def context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        known: dict[str, Any] = tags(service, iam_action, body, params)
        if iam_action == "events:PutEvents":
            sources = {entry.get("Source") for entry in json.loads(body or b"{}").get("Entries", [])}
            # Several sources in one call match no single one: refused, as on AWS.
            known["events:source"] = sources.pop() if len(sources) == 1 else ""
        return known

    _replace(iam_actions, "request_tag_context", context)


def keep_reserved_concurrency() -> None:
    """CloudFormation drops a function's ReservedConcurrentExecutions, so two reconcilers could run at once."""
    handlers = getattr(provisioners, "_RESOURCE_HANDLERS", {}).get("AWS::Lambda::Function", {})
    create = handlers.get("create")
    if not callable(create) or not hasattr(lambda_svc, "_functions"):
        raise UnsupportedMiniStack("CloudFormation makes functions in another way")

    def reserve(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Any:  # noqa: ANN401 - passed through
        name, attributes = create(logical_id, properties, stack_name)
        reserved = properties.get("ReservedConcurrentExecutions")
        if reserved is not None:
            functions: Any = lambda_svc._functions  # noqa: SLF001 - its own store of functions
            functions[name]["concurrency"] = int(reserved)
        return name, attributes

    handlers["create"] = reserve


def allow_schedules_in_seconds(tick_seconds: float) -> None:
    """EventBridge counts in minutes; a laptop need not wait for one: rate(2 seconds)."""
    parse = _part(eventbridge, "_parse_rate_seconds")

    def seconds(expression: str) -> int | None:
        match = re.fullmatch(r"rate\((\d+) seconds?\)", expression)
        whole: int | None = int(match[1]) if match else parse(expression)
        return whole

    _replace(eventbridge, "_parse_rate_seconds", seconds)
    _replace(scheduler, "_SCHEDULE_TICK_INTERVAL", tick_seconds)


def add_sam_translator_to_path(site_packages: Path | None) -> None:
    """CloudFormation's SAM transform needs aws-sam-translator; where this environment has none, sam's own is used."""
    if site_packages is not None:
        sys.path.append(str(site_packages))


def _failed_items(event: Any, result: Mapping[str, Any]) -> Iterator[str]:  # noqa: ANN401 - any JSON
    records = event.get("Records") if isinstance(event, dict) else None
    if not records or records[0].get("eventSource") != "aws:dynamodb":
        return
    body = result.get("body")
    answer = json.loads(body) if isinstance(body, str | bytes) and body else body
    for failure in (answer or {}).get("batchItemFailures", []):
        yield failure["itemIdentifier"]


def _replace(module: ModuleType, name: str, by: object) -> None:
    if not hasattr(module, name):
        raise UnsupportedMiniStack(f"{module.__name__} has no {name} any more")
    setattr(module, name, by)


def _part(module: ModuleType, name: str) -> Callable[..., Any]:
    part = getattr(module, name, None)
    if not callable(part):
        raise UnsupportedMiniStack(f"{module.__name__} has no function {name} any more")
    return part  # type: ignore[no-any-return]
