"""The CloudFormation that SAM makes of a template, as JSON. Run by .venv-sam's Python, which has SAM's own translator."""

import json
import sys
from pathlib import Path

from samcli.lib.translate.sam_template_validator import SamTemplateValidator  # type: ignore[import-not-found]  # .venv-sam has it
from samcli.yamlhelper import yaml_parse  # type: ignore[import-not-found]  # see above


class NoManagedPolicies:
    """The template names no policy of AWS's by its short name, so nobody has to ask IAM for their ARNs."""

    def load(self) -> dict[str, str]:
        return {}


def main(template: Path) -> None:
    validator = SamTemplateValidator(yaml_parse(template.read_text()), NoManagedPolicies(), region="us-east-1")
    json.dump(yaml_parse(validator.get_translated_template_if_valid()), sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
