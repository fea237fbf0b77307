"""IAM permissions hold in the local cloud as on AWS: those of callers, and those of the functions."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from label_loop.api import ApiClient
from local.cloud.stack import STACK_NAME, Stack
from tests.local.helpers import assert_problem

ACCOUNT_ONLY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "000000000000"},
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/*",
        }
    ],
}


@pytest.fixture
def without_glue_permission(stack: Stack) -> Iterator[None]:
    """Removes the API function's permission to start task runs."""
    iam = stack.client("iam")
    role = next(role["RoleName"] for role in iam.list_roles()["Roles"] if "ApiRole" in role["RoleName"])
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    arn = next(policy["PolicyArn"] for policy in attached if "TaskRunsPolicy" in policy["PolicyName"])
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    yield
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)


@pytest.mark.usefixtures("without_glue_permission")
def test_function_without_permission_to_start_runs_starts_none(stack: Stack, api: ApiClient, transform_id: str) -> None:
    glue = stack.client("glue")
    before = len(glue.get_ml_task_runs(TransformId=transform_id)["TaskRuns"])
    response = api.start_labeling_set_run("no-permission", transform_id, f"s3://{stack.bucket}/sets/")
    assert_problem(response, 422)
    assert api.get_task_run(response.body["instance"].rsplit("/", 1)[-1]).body["status"] == "REFUSED"
    assert len(glue.get_ml_task_runs(TransformId=transform_id)["TaskRuns"]) == before


def test_permission_for_one_transform_does_not_cover_another(stack: Stack, transform_id: str) -> None:
    iam = stack.client("iam")
    iam.create_user(UserName="reader")
    statement = {
        "Effect": "Allow",
        "Action": "glue:GetMLTransform",
        "Resource": f"arn:aws:glue:*:*:mlTransform/{transform_id}",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="one", PolicyDocument=document)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    glue = boto3.client(
        "glue",
        endpoint_url=stack.glue_endpoint_url,
        region_name=stack.env["AWS_REGION"],
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    assert glue.get_ml_transform(TransformId=transform_id)["TransformId"] == transform_id
    for denied_call in (
        lambda: glue.get_ml_transform(TransformId="tfm-another"),
        lambda: glue.delete_ml_transform(TransformId=transform_id),
        glue.list_ml_transforms,
    ):
        with pytest.raises(ClientError, match="AccessDeniedException"):
            denied_call()


def test_deployed_api_has_the_resource_policy_of_the_template(stack: Stack) -> None:
    apis = stack.client("apigateway").get_rest_apis()["items"]
    (api,) = [api for api in apis if api["name"] == STACK_NAME]
    (statement,) = json.loads(json.loads(f'"{api["policy"]}"'))["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Allow", {"AWS": "000000000000"})
    assert (statement["Action"], statement["Resource"]) == ("execute-api:Invoke", "execute-api:/*")


@pytest.mark.parametrize(("policy", "status"), [(None, 200), (ACCOUNT_ONLY, 403)])
def test_resource_policy_refuses_unsigned_requests_to_a_route_without_iam(
    stack: Stack, policy: dict[str, Any] | None, status: int
) -> None:
    with open_api(stack, {"x-amazon-apigateway-policy": policy} if policy else {}) as url:
        assert ApiClient(url, stack.env["AWS_REGION"], None).request("GET", "/open").status == status


@contextmanager
def open_api(stack: Stack, extensions: Mapping[str, Any]) -> Iterator[str]:
    """The URL of an API that CloudFormation imports from OpenAPI, with one route, `/open`, that needs no signature."""
    integration = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200"}},
    }
    route = {"responses": {"200": {"description": "OK"}}, "x-amazon-apigateway-integration": integration}
    body = {"openapi": "3.0.1", "info": {"title": "open", "version": "1"}, "paths": {"/open": {"get": route}}, **extensions}
    api = {"Ref": "Api"}
    resources = {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": body}},
        "Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": api, "StageName": "live"}},
    }
    cloudformation = stack.client("cloudformation")
    template = {"Resources": resources, "Outputs": {"ApiId": {"Value": api}}}
    cloudformation.create_stack(StackName="open-api", TemplateBody=json.dumps(template))
    try:
        cloudformation.get_waiter("stack_create_complete").wait(StackName="open-api", WaiterConfig={"Delay": 1})
        (output,) = cloudformation.describe_stacks(StackName="open-api")["Stacks"][0]["Outputs"]
        yield f"{stack.aws_endpoint_url}/_aws/execute-api/{output['OutputValue']}/live"
    finally:
        cloudformation.delete_stack(StackName="open-api")
        cloudformation.get_waiter("stack_delete_complete").wait(StackName="open-api", WaiterConfig={"Delay": 1})
