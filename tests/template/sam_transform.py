"""Print the CloudFormation that the SAM transform makes of a template, as JSON. Runs in .venv-sam, which has the transform."""

import json
import sys
from pathlib import Path

from samcli.lib.translate.sam_template_validator import SamTemplateValidator  # type: ignore[import-not-found]  # in .venv-sam only
from samcli.yamlhelper import yaml_parse  # type: ignore[import-not-found]  # in .venv-sam only


class NoManagedPolicies:
    """Replaces the lookup of AWS's managed policies in IAM: the template names none of them by its short name."""

    def load(self) -> dict[str, str]:
        return {}


def main(template: Path) -> None:
    validator = SamTemplateValidator(yaml_parse(template.read_text()), NoManagedPolicies(), region="us-east-1")
    json.dump(yaml_parse(validator.get_translated_template_if_valid()), sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
