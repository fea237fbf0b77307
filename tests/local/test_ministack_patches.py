"""A MiniStack release that lacks something that is patched is refused at start-up."""

import json
import os

from local.cloud.process import ROOT
from tests.local.helpers import run_python

# In a separate process: MiniStack reads its settings when it is imported, and the patches change it in place.
REMOVE_EACH_PART = """
import json
from ministack.core import iam_actions
from ministack.services import apigateway_v1, eventbridge, lambda_svc, scheduler
from ministack.services.cloudformation import provisioners
from local.cloud.ministack_patches import UnsupportedMiniStack, apply_patches

parts = [
    (eventbridge, "_dispatch_to_lambda"), (eventbridge, "_parse_rate_seconds"),
    (lambda_svc, "invoke_async_with_retry"), (lambda_svc, "_get_func_record_for_ref"), (lambda_svc, "_execute_function"),
    (lambda_svc, "_poll_dynamodb_streams"), (lambda_svc, "_functions"),
    (apigateway_v1, "_import_rest_api"), (apigateway_v1, "_import_operation"), (apigateway_v1, "_put_gateway_response"),
    (apigateway_v1, "_OPENAPI_HTTP_METHODS"),
    (iam_actions, "request_tag_context"), (scheduler, "_SCHEDULE_TICK_INTERVAL"), (provisioners, "_RESOURCE_HANDLERS"),
]
refusals = {}
for module, name in parts:
    part = getattr(module, name)
    delattr(module, name)
    try:
        apply_patches(1)
        refusals[name] = False
    except UnsupportedMiniStack as error:
        refusals[name] = str(error)
    setattr(module, name, part)
print(json.dumps(refusals))
"""


def test_each_missing_part_is_refused() -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "AWS_CONFIG_FILE": os.devnull}
    completed = run_python("-c", REMOVE_EACH_PART, env=env)
    assert completed.returncode == 0, completed.stderr
    refusals = json.loads(completed.stdout.splitlines()[-1])
    assert len(refusals) == 14
    assert not [name for name, reason in refusals.items() if not reason]
