"""What an operator wants of the deployed system: doors that can be narrowed, data encrypted and kept, releases taken back."""

import json
from typing import Any

GATEWAY_REFUSES = {
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
WITH_KEY = {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}


def test_whatever_the_gateway_refuses_is_a_problem_with_its_status(resources: dict[str, Any]) -> None:
    responses = resources["Api"]["Properties"]["GatewayResponses"]
    assert set(responses) == {*GATEWAY_REFUSES, "DEFAULT_4XX", "DEFAULT_5XX"}
    for kind, response in responses.items():
        assert response["ResponseParameters"]["Headers"]["Content-Type"] == "'application/problem+json'"
        body = response["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"why"')
        problem = json.loads(body)
        assert (problem["type"], bool(problem["title"])) == ("about:blank", True)
        assert problem.get("status") == response.get("StatusCode") == GATEWAY_REFUSES.get(kind)


def test_who_comes_too_often_is_told_when_to_come_back(resources: dict[str, Any]) -> None:
    headers = resources["Api"]["Properties"]["GatewayResponses"]["THROTTLED"]["ResponseParameters"]["Headers"]
    assert headers["Retry-After"] == "'5'"


def test_the_resource_policy_opens_the_door_to_accounts_and_shuts_it_on_all_others(resources: dict[str, Any]) -> None:
    own, *conditional = resources["Api"]["Properties"]["Auth"]["ResourcePolicy"]["CustomStatements"]
    assert own["Principal"] == {"AWS": {"Fn::If": ["NamesAccounts", {"Ref": "ApiAllowedAccounts"}, {"Ref": "AWS::AccountId"}]}}
    chosen = [one["Fn::If"] for one in conditional]
    assert [(condition, one["Effect"]) for condition, one, _ in chosen] == [
        ("NamesOrganization", "Allow"),
        ("NamesOrganization", "Deny"),
        ("IsPrivate", "Deny"),
    ]
    # An Allow to everybody would let callers of our own account in who have no right of their own.
    assert "aws:PrincipalAccount" in chosen[0][1]["Condition"]["StringNotEquals"]
    assert chosen[1][1]["Condition"] == {"StringNotEquals": {"aws:PrincipalOrgID": {"Ref": "ApiAllowedOrganization"}}}
    assert chosen[2][1]["Condition"] == {"StringNotEquals": {"aws:SourceVpce": {"Ref": "ApiVpcEndpoint"}}}


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


def test_a_customer_key_encrypts_whatever_is_kept(resources: dict[str, Any], template: dict[str, Any]) -> None:
    assert template["Globals"]["Function"]["KmsKeyArn"] == WITH_KEY
    assert resources["Bus"]["Properties"]["KmsKeyIdentifier"] == WITH_KEY
    assert resources["Ledger"]["Properties"]["SSESpecification"]["Fn::If"][1]["KMSMasterKeyId"] == {"Ref": "KmsKeyArn"}
    for queue in _of_type(resources, "AWS::SQS::Queue"):
        assert queue["KmsMasterKeyId"] == WITH_KEY
        assert queue["SqsManagedSseEnabled"] == {"Fn::If": ["HasKey", {"Ref": "AWS::NoValue"}, True]}
    logs = _of_type(resources, "AWS::Logs::LogGroup")
    assert len(logs) == 5
    for group in logs:
        assert group == {"RetentionInDays": {"Ref": "LogRetentionDays"}, "KmsKeyId": WITH_KEY}


def test_queues_refuse_what_comes_without_tls(resources: dict[str, Any]) -> None:
    queues = {name for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue"}
    covered: list[str] = []
    for policy in _of_type(resources, "AWS::SQS::QueuePolicy"):
        statements = [one.get("Fn::If", [None, one])[1] for one in policy["PolicyDocument"]["Statement"]]
        refusals = [one for one in statements if one["Effect"] == "Deny"]
        assert [(one["Action"], one["Condition"]) for one in refusals] == [
            ("sqs:*", {"Bool": {"aws:SecureTransport": "false"}})
        ]
        covered += [queue["Ref"] for queue in policy["Queues"]]
    assert sorted(covered) == sorted(queues)  # each once: a second policy would replace the first


def test_a_release_of_the_api_can_be_tried_on_a_few_and_taken_back(
    resources: dict[str, Any], functions: dict[str, Any], template: dict[str, Any]
) -> None:
    function = functions["ApiFunction"]
    assert function["AutoPublishAlias"]
    preference = function["DeploymentPreference"]
    assert preference["Enabled"] == {"Ref": "CanaryDeployment"}
    assert preference["Type"] == "Canary10Percent5Minutes"
    assert [resources[one["Ref"]]["Type"] for one in preference["Alarms"]] == ["AWS::CloudWatch::Alarm"] * 2
    assert template["Parameters"]["CanaryDeployment"]["Default"] == "false"


def test_snapstart_is_a_switch_that_is_off(functions: dict[str, Any], template: dict[str, Any]) -> None:
    assert functions["ApiFunction"]["SnapStart"] == {
        "ApplyOn": {"Fn::If": ["StartsFromSnapshots", "PublishedVersions", "None"]}
    }
    assert template["Parameters"]["SnapStart"]["Default"] == "false"


def test_each_functions_memory_is_a_parameter(functions: dict[str, Any], template: dict[str, Any]) -> None:
    for name, function in functions.items():
        parameter = template["Parameters"][f"{name.removesuffix('Function')}Memory"]
        assert function["MemorySize"] == {"Ref": f"{name.removesuffix('Function')}Memory"}
        assert (parameter["MinValue"], parameter["MaxValue"]) == (128, 10_240)  # Lambda's own bounds


def _of_type(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in resources.values() if one["Type"] == kind]
