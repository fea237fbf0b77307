"""What template.yaml deploys, as far as a test in process needs it: the ledger's table, the rules' patterns."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # see above
    """Reads CloudFormation's short forms (!Ref, !Sub, ...) as what stands behind them."""


def _short_form(loader: _Loader, _tag: str, node: yaml.Node) -> Any:  # noqa: ANN401  whatever YAML holds
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
    found: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)["Resources"]  # noqa: S506  a SafeLoader of our own
    return found


def ledger_table() -> dict[str, Any]:
    """The ledger as CreateTable's parameters, without its name."""
    names = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode", "StreamSpecification")
    properties = resources()["Ledger"]["Properties"]
    stream = {**properties["StreamSpecification"], "StreamEnabled": True}
    return {name: properties[name] for name in names} | {"StreamSpecification": stream}


def rule_pattern(name: str) -> dict[str, Any]:
    """The event pattern of one of the bus function's rules."""
    pattern: dict[str, Any] = resources()["BusFunction"]["Properties"]["Events"][name]["Properties"]["Pattern"]
    return pattern


def handler_strings() -> dict[str, str]:
    """Function -> the handler string that Lambda loads."""
    return {
        name: one["Properties"]["Handler"] for name, one in resources().items() if one["Type"] == "AWS::Serverless::Function"
    }
