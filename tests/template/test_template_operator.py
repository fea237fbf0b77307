"""What operators rely on: restricted access to the API, encryption, log retention, releases that can be rolled back."""

import json
from typing import Any

GATEWAY_RESPONSES = {
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "WAF_FILTERED": 403,
}
KEY_OR_NONE = {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}


def test_every_gateway_response_is_a_problem_with_its_status(resources: dict[str, Any]) -> None:
    responses = resources["Api"]["Properties"]["GatewayResponses"]
    assert set(responses) == {*GATEWAY_RESPONSES, "DEFAULT_4XX", "DEFAULT_5XX"}
    for name, response in responses.items():
        assert response["ResponseParameters"]["Headers"]["Content-Type"] == "'application/problem+json'"
        body = response["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"why"')
        problem = json.loads(body)
        assert (problem["type"], bool(problem["title"])) == ("about:blank", True)
        assert problem.get("status") == response.get("StatusCode") == GATEWAY_RESPONSES.get(name)


def test_a_throttled_request_gets_retry_after(resources: dict[str, Any]) -> None:
    headers = resources["Api"]["Properties"]["GatewayResponses"]["THROTTLED"]["ResponseParameters"]["Headers"]
    assert headers["Retry-After"] == "'5'"


def test_the_resource_policy_allows_the_named_accounts_and_denies_all_others(resources: dict[str, Any]) -> None:
    own, *conditional = resources["Api"]["Properties"]["Auth"]["ResourcePolicy"]["CustomStatements"]
    assert own["Principal"] == {"AWS": {"Fn::If": ["NamesAccounts", {"Ref": "ApiAllowedAccounts"}, {"Ref": "AWS::AccountId"}]}}
    branches = [statement["Fn::If"] for statement in conditional]
    assert [(condition, statement["Effect"]) for condition, statement, _ in branches] == [
        ("NamesOrganization", "Allow"),
        ("NamesOrganization", "Deny"),
        ("IsPrivate", "Deny"),
    ]
    # Without this condition, the Allow would admit principals of this account that have no permission in their own policies.
    assert "aws:PrincipalAccount" in branches[0][1]["Condition"]["StringNotEquals"]
    assert branches[1][1]["Condition"] == {"StringNotEquals": {"aws:PrincipalOrgID": {"Ref": "ApiAllowedOrganization"}}}
    assert branches[2][1]["Condition"] == {"StringNotEquals": {"aws:SourceVpce": {"Ref": "ApiVpcEndpoint"}}}


def test_the_api_throttles_and_logs_each_access_without_payloads(resources: dict[str, Any]) -> None:
    api = resources["Api"]["Properties"]
    (settings,) = api["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert settings["ThrottlingRateLimit"] == {"Ref": "ApiRateLimit"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "ApiBurstLimit"}
    assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)
    log = api["AccessLogSetting"]
    assert log["DestinationArn"] == {"Fn::GetAtt": ["AccessLogs", "Arn"]}
    assert set(json.loads(log["Format"])) >= {"requestId", "caller", "path", "status"}
    assert "path" not in log["Format"].replace("resourcePath", "").replace('"path"', "")


def test_a_customer_managed_key_encrypts_all_stored_data(resources: dict[str, Any], template: dict[str, Any]) -> None:
    assert template["Globals"]["Function"]["KmsKeyArn"] == KEY_OR_NONE
    assert resources["Bus"]["Properties"]["KmsKeyIdentifier"] == KEY_OR_NONE
    assert resources["Ledger"]["Properties"]["SSESpecification"]["Fn::If"][1]["KMSMasterKeyId"] == {"Ref": "KmsKeyArn"}
    for queue in _of_type(resources, "AWS::SQS::Queue"):
        assert queue["KmsMasterKeyId"] == KEY_OR_NONE
        assert queue["SqsManagedSseEnabled"] == {"Fn::If": ["HasKey", {"Ref": "AWS::NoValue"}, True]}
    logs = _of_type(resources, "AWS::Logs::LogGroup")
    assert len(logs) == 7
    for group in logs:
        assert group == {"RetentionInDays": {"Ref": "LogRetentionDays"}, "KmsKeyId": KEY_OR_NONE}


def test_queues_deny_requests_without_tls(resources: dict[str, Any]) -> None:
    queues = {name for name, resource in resources.items() if resource["Type"] == "AWS::SQS::Queue"}
    covered: list[str] = []
    for policy in _of_type(resources, "AWS::SQS::QueuePolicy"):
        statements = [entry.get("Fn::If", [None, entry])[1] for entry in policy["PolicyDocument"]["Statement"]]
        denials = [statement for statement in statements if statement["Effect"] == "Deny"]
        assert [(statement["Action"], statement["Condition"]) for statement in denials] == [
            ("sqs:*", {"Bool": {"aws:SecureTransport": "false"}})
        ]
        covered += [queue["Ref"] for queue in policy["Queues"]]
    assert sorted(covered) == sorted(queues)  # each exactly once: a second policy replaces the first


def test_a_canary_release_of_the_api_is_rolled_back_on_an_alarm(
    resources: dict[str, Any], functions: dict[str, Any], template: dict[str, Any]
) -> None:
    function = functions["ApiFunction"]
    assert function["AutoPublishAlias"]
    preference = function["DeploymentPreference"]
    assert preference["Enabled"] == {"Ref": "CanaryDeployment"}
    assert preference["Type"] == "Canary10Percent5Minutes"
    assert [resources[alarm["Ref"]]["Type"] for alarm in preference["Alarms"]] == ["AWS::CloudWatch::Alarm"] * 2
    assert template["Parameters"]["CanaryDeployment"]["Default"] == "false"


def test_snapstart_is_off_by_default(functions: dict[str, Any], template: dict[str, Any]) -> None:
    assert functions["ApiFunction"]["SnapStart"] == {
        "ApplyOn": {"Fn::If": ["StartsFromSnapshots", "PublishedVersions", "None"]}
    }
    assert template["Parameters"]["SnapStart"]["Default"] == "false"


def test_each_functions_memory_is_a_parameter(functions: dict[str, Any], template: dict[str, Any]) -> None:
    for name, function in functions.items():
        parameter = template["Parameters"][f"{name.removesuffix('Function')}Memory"]
        assert function["MemorySize"] == {"Ref": f"{name.removesuffix('Function')}Memory"}
        assert (parameter["MinValue"], parameter["MaxValue"]) == (128, 10_240)  # Lambda's own bounds


def _of_type(resources: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in resources.values() if resource["Type"] == resource_type]
