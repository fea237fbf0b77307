"""The stages of samconfig.toml, and the parameters that a deployment of each passes to CloudFormation."""

import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Stage:
    """One `[name.deploy.parameters]` of samconfig.toml. `profile` and `region` are empty if the file does not set them."""

    name: str
    stack_name: str
    parameters: Mapping[str, str]
    profile: str
    region: str


class UnknownStage(Exception):
    """samconfig.toml has no such stage; the text names those that it has."""


def read_stage(samconfig: Path, name: str) -> Stage:
    """Raises UnknownStage."""
    document = tomllib.loads(samconfig.read_text())
    stages = {stage: section["deploy"]["parameters"] for stage, section in document.items() if _is_stage(stage, section)}
    if name not in stages:
        raise UnknownStage(f"samconfig.toml has no stage {name!r}; it has: {', '.join(sorted(stages)) or 'none'}")
    settings = stages[name]
    return Stage(
        name,
        settings["stack_name"],
        read_overrides(settings.get("parameter_overrides", [])),
        settings.get("profile", ""),
        settings.get("region", ""),
    )


def read_overrides(overrides: str | list[str] | Mapping[str, Any]) -> dict[str, str]:
    """Read `parameter_overrides` in each form that sam takes: a list of `Name=value`, one text of them, or a table."""
    if isinstance(overrides, Mapping):
        return {name: str(value) for name, value in overrides.items()}
    texts = shlex.split(overrides) if isinstance(overrides, str) else overrides
    return {name: value.strip("\"'") for name, _, value in (text.partition("=") for text in texts)}


def _is_stage(name: str, section: object) -> bool:
    has_stack = isinstance(section, dict) and "stack_name" in section.get("deploy", {}).get("parameters", {})
    return has_stack and name != "default"
