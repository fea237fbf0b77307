"""Parts of template.yaml that tests need without a deployment: the ledger's table, the rules' patterns."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # see above
    """Reads CloudFormation's short forms (!Ref, !Sub, ...) as their plain arguments."""


def _short_form(loader: _Loader, _tag: str, node: yaml.Node) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    raise TypeError(f"unexpected YAML node {node!r}")


_Loader.add_multi_constructor("!", _short_form)


@cache
def resources() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)["Resources"]  # noqa: S506 - a subclass of SafeLoader
    return parsed


def ledger_table() -> dict[str, Any]:
    """CreateTable's parameters for the ledger, without TableName."""
    names = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode", "StreamSpecification")
    properties = resources()["Ledger"]["Properties"]
    stream = {**properties["StreamSpecification"], "StreamEnabled": True}
    return {name: properties[name] for name in names} | {"StreamSpecification": stream}


def rule_pattern(name: str, allowed_s3_prefixes: str = "") -> dict[str, Any]:
    """The event pattern of a rule of the bus function, in a stack with these allowed prefixes."""
    pattern: dict[str, Any] = deepcopy(resources()["BusFunction"]["Properties"]["Events"][name]["Properties"]["Pattern"])
    bucket = pattern.get("detail", {}).get("bucket")
    if bucket is not None:
        separator, parameter = bucket["name"]  # of !Split
        bucket["name"] = {"AllowedS3Prefixes": allowed_s3_prefixes}[parameter].split(separator)
    return pattern


def handler_strings() -> dict[str, str]:
    """Logical id of each function -> the handler that Lambda loads."""
    return {
        name: resource["Properties"]["Handler"]
        for name, resource in resources().items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
