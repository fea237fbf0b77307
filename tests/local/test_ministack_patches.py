"""A MiniStack that lacks what is adjusted in it is refused at start-up, whichever part it is."""

import json
import os

from local.cloud.process import ROOT
from tests.local.helpers import run_python

# In a process of its own: MiniStack reads its settings when imported, and its parts are changed in place.
WITHOUT_EACH = """
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
refused = {}
for module, name in parts:
    part = getattr(module, name)
    delattr(module, name)
    try:
        apply_patches(1)
        refused[name] = False
    except UnsupportedMiniStack as error:
        refused[name] = str(error)
    setattr(module, name, part)
print(json.dumps(refused))
"""


def test_each_missing_part_is_noticed() -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "AWS_CONFIG_FILE": os.devnull}
    done = run_python("-c", WITHOUT_EACH, env=env)
    assert done.returncode == 0, done.stderr
    refused = json.loads(done.stdout.splitlines()[-1])
    assert len(refused) == 14
    assert not [name for name, reason in refused.items() if not reason]
