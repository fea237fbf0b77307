"""Patches for MiniStack 1.5.33, where its behavior differs from what this service needs of AWS.

Each patch looks up what it replaces with `_function` or `_replace`, which fail at start-up if a release has changed it. So an
unknown release of MiniStack is refused, never patched by guesswork.
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
RESOURCE_POLICY = "x-amazon-apigateway-policy"
THROTTLE_PAUSE_SECONDS = 0.2

# Set during an asynchronous invocation. AWS retries a throttled asynchronous event for up to six hours.
_asynchronous: ContextVar[bool] = ContextVar("asynchronous", default=False)


class UnsupportedMiniStack(Exception):
    """This release of MiniStack lacks something that a patch replaces; the message names it."""


def apply_patches(schedule_tick_seconds: float) -> None:
    """Patch the imported MiniStack. Raises UnsupportedMiniStack."""
    deliver_rule_targets_asynchronously()
    retry_throttled_events()
    retry_partial_batches()
    support_openapi_extensions()
    support_events_source_condition_key()
    keep_reserved_concurrency()
    allow_schedules_in_seconds(schedule_tick_seconds)


def deliver_rule_targets_asynchronously() -> None:
    """MiniStack's rules and schedules invoke a function once, without retries and without its on-failure destination."""
    _function(eventbridge, "_dispatch_to_lambda")
    find_function = _function(lambda_svc, "_get_func_record_for_ref")
    invoke = _function(lambda_svc, "invoke_async_with_retry")

    def dispatch(arn: str, payload: str) -> None:
        function, config, name = find_function(arn)
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
    """MiniStack counts an asynchronous invocation that is throttled as a failed attempt."""
    execute = _function(lambda_svc, "_execute_function")

    @functools.wraps(execute)
    def execute_when_not_throttled(function: dict[str, Any], event: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        result: dict[str, Any] = execute(function, event)
        while result.get("throttle") and _asynchronous.get():
            sleep(THROTTLE_PAUSE_SECONDS)
            result = execute(function, event)
        return result

    _replace(lambda_svc, "_execute_function", execute_when_not_throttled)


def retry_partial_batches() -> None:
    """MiniStack ignores `batchItemFailures` in a response to a stream batch, so failed records would be lost.

    AWS continues at the first failed record. Here the whole batch is sent again, which at-least-once delivery allows.
    """
    _function(lambda_svc, "_poll_dynamodb_streams")
    execute = _function(lambda_svc, "_execute_function")

    @functools.wraps(execute)
    def fail_partial_batch(function: dict[str, Any], event: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        result: dict[str, Any] = execute(function, event)
        failures = list(_failed_items(event, result))
        if failures and not result.get("error"):
            body = {"errorType": "BatchItemFailures", "errorMessage": f"failed from record {failures[0]}"}
            return {**result, "error": True, "body": body}
        return result

    _replace(lambda_svc, "_execute_function", fail_partial_batch)


def support_openapi_extensions() -> None:
    """MiniStack's OpenAPI import drops ANY methods, gateway responses and the API's resource policy."""
    import_api = _function(apigateway_v1, "_import_rest_api")
    import_operation = _function(apigateway_v1, "_import_operation")
    put_response = _function(apigateway_v1, "_put_gateway_response")
    methods = getattr(apigateway_v1, "_OPENAPI_HTTP_METHODS", None)
    if not isinstance(methods, set):
        raise UnsupportedMiniStack("apigateway_v1._OPENAPI_HTTP_METHODS is not a set")

    def import_operation_with_any(api_id: str, resource_id: str, method: str, *rest: Any) -> Any:  # noqa: ANN401 - passed through
        return import_operation(api_id, resource_id, "ANY" if method.lower() == ANY_METHOD else method, *rest)

    def import_api_with_extensions(spec: Mapping[str, Any], base_data: Any = None) -> Any:  # noqa: ANN401 - passed through
        policy = {"policy": spec[RESOURCE_POLICY]} if RESOURCE_POLICY in spec else {}
        api_id = import_api(spec, {**(base_data or {}), **policy})
        for response_type, response in (spec.get(GATEWAY_RESPONSES) or {}).items():
            put_response(api_id, response_type, response)
        return api_id

    methods.add(ANY_METHOD)
    _replace(apigateway_v1, "_import_operation", import_operation_with_any)
    _replace(apigateway_v1, "_import_rest_api", import_api_with_extensions)


def support_events_source_condition_key() -> None:
    """MiniStack does not set the condition key `events:source`, so a policy with this condition denies every call."""
    tag_context = _function(iam_actions, "request_tag_context")

    def context_with_source(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = tag_context(service, iam_action, body, params)
        if iam_action == "events:PutEvents":
            sources = {entry.get("Source") for entry in json.loads(body or b"{}").get("Entries", [])}
            # As on AWS, a call with several sources matches none of them, so it is denied.
            context["events:source"] = sources.pop() if len(sources) == 1 else ""
        return context

    _replace(iam_actions, "request_tag_context", context_with_source)


def keep_reserved_concurrency() -> None:
    """MiniStack's CloudFormation ignores ReservedConcurrentExecutions, so two reconcilers could run at once."""
    handlers = getattr(provisioners, "_RESOURCE_HANDLERS", {}).get("AWS::Lambda::Function", {})
    create = handlers.get("create")
    if not callable(create) or not hasattr(lambda_svc, "_functions"):
        raise UnsupportedMiniStack("the CloudFormation handler of AWS::Lambda::Function has changed")

    def create_with_concurrency(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Any:  # noqa: ANN401 - passed through
        name, attributes = create(logical_id, properties, stack_name)
        reserved = properties.get("ReservedConcurrentExecutions")
        if reserved is not None:
            functions: Any = lambda_svc._functions  # noqa: SLF001 - its own store of functions
            functions[name]["concurrency"] = int(reserved)
        return name, attributes

    handlers["create"] = create_with_concurrency


def allow_schedules_in_seconds(tick_seconds: float) -> None:
    """EventBridge's shortest rate is a minute. Understand rate(2 seconds) too, so that nobody waits for the reconciler."""
    parse = _function(eventbridge, "_parse_rate_seconds")

    def parse_seconds(expression: str) -> int | None:
        match = re.fullmatch(r"rate\((\d+) seconds?\)", expression)
        seconds: int | None = int(match[1]) if match else parse(expression)
        return seconds

    _replace(eventbridge, "_parse_rate_seconds", parse_seconds)
    _replace(scheduler, "_SCHEDULE_TICK_INTERVAL", tick_seconds)


def add_sam_translator_to_path(site_packages: Path | None) -> None:
    """Make aws-sam-translator, which CloudFormation's SAM transform needs, importable from aws-sam-cli's environment.

    Last on the path, so that nothing else of that environment replaces a package of this one.
    """
    if site_packages is not None:
        sys.path.append(str(site_packages))


def _failed_items(event: Any, result: Mapping[str, Any]) -> Iterator[str]:  # noqa: ANN401 - any JSON
    records = event.get("Records") if isinstance(event, dict) else None
    if not records or records[0].get("eventSource") != "aws:dynamodb":
        return
    body = result.get("body")
    response = json.loads(body) if isinstance(body, str | bytes) and body else body
    for failure in (response or {}).get("batchItemFailures", []):
        yield failure["itemIdentifier"]


def _replace(module: ModuleType, name: str, replacement: object) -> None:
    if not hasattr(module, name):
        raise UnsupportedMiniStack(f"{module.__name__} has no {name}")
    setattr(module, name, replacement)


def _function(module: ModuleType, name: str) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if not callable(function):
        raise UnsupportedMiniStack(f"{module.__name__} has no function {name}")
    return function  # type: ignore[no-any-return]
