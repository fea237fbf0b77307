"""Deploys template.yaml to the local cloud through CloudFormation, and records the endpoints of what it creates."""

import io
import json
import time
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from local.cloud.process import ACCESS_KEY, REGION, ROOT, ROOT_USER_ARN, SECRET_KEY, CloudFailed

STACK_NAME = "glue-label-loop"
DATA_BUCKET = "label-loop-data"
ARTIFACT_BUCKET = "label-loop-artifacts"
CODE_URI = "CodeUri: src/"
DEPLOY_TIMEOUT_SECONDS = 90
WITHOUT_PROXY = Config(proxies={})  # the local cloud is on this machine, whatever HTTP_PROXY says
# The reconciler runs every minute on AWS, and every two seconds here, where rounds would overlap: hence one at a time.
# The root user is an operator, as on AWS somebody is.
DEFAULT_PARAMETERS = {
    "ReconcileSchedule": "rate(2 seconds)",
    "ReconcileConcurrency": "1",
    "OperatorArns": ROOT_USER_ARN,
    "LedgerDeletionProtection": "false",
    "LabelingPage": "true",
}


@dataclass(frozen=True)
class Stack:
    """What is needed to call the API with curl, the local AWS with any SDK, and the handlers as Python functions."""

    api_url: str
    aws_endpoint_url: str
    glue_endpoint_url: str
    bucket: str
    env: Mapping[str, str]
    outputs: Mapping[str, str]

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients exist at run time only
        """A boto3 client of the local cloud, with the permissions of its root user."""
        return local_client(service, self.aws_endpoint_url)

    def as_json(self) -> str:
        return json.dumps({_camel(key): value for key, value in asdict(self).items()}, indent=2) + "\n"

    @staticmethod
    def from_json(text: str) -> "Stack":
        """The reverse of `as_json`."""
        document = json.loads(text)
        return Stack(**{field.name: document[_camel(field.name)] for field in fields(Stack)})


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(part.title() for part in more)


def deploy(endpoint: str, parameters: Mapping[str, str] | None = None, template: Path = ROOT / "template.yaml") -> Stack:
    """Create the data bucket, upload src/ as a zip file, create the stack, and wait for it. Raises CloudFailed.

    `parameters`: the template's parameters, over DEFAULT_PARAMETERS.
    """
    s3 = local_client("s3", endpoint)
    for bucket in (DATA_BUCKET, ARTIFACT_BUCKET):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=DATA_BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_object(Bucket=ARTIFACT_BUCKET, Key="src.zip", Body=_zip(template.parent / "src"))
    s3.put_object(Bucket=ARTIFACT_BUCKET, Key="template.yaml", Body=_with_code_location(template.read_text()).encode())
    parameters = {
        "AllowedS3Prefixes": f"s3://{DATA_BUCKET}/",
        "EndpointUrl": endpoint,
        **DEFAULT_PARAMETERS,
        **(parameters or {}),
    }
    cloudformation = local_client("cloudformation", endpoint)
    cloudformation.create_stack(
        StackName=STACK_NAME,
        TemplateURL=f"{endpoint}/{ARTIFACT_BUCKET}/template.yaml",  # TemplateBody is limited to 51,200 bytes
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    outputs = _wait_for_outputs(cloudformation)
    api_id, stage = urlsplit(outputs["ApiUrl"]).netloc.split(".")[0], urlsplit(outputs["ApiUrl"]).path.strip("/")
    return Stack(
        api_url=f"{endpoint}/_aws/execute-api/{api_id}/{stage}",
        aws_endpoint_url=endpoint,
        glue_endpoint_url=endpoint,
        bucket=DATA_BUCKET,
        env=_function_environment(local_client("lambda", endpoint), outputs["ApiFunctionName"]),
        outputs=outputs,
    )


def _zip(source: Path) -> bytes:
    """A zip file of the source. Packages are left out: MiniStack's workers use those of this Python environment."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(source.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(source))
    return buffer.getvalue()


def _with_code_location(template: str) -> str:
    if template.count(CODE_URI) != 1:
        raise CloudFailed(f"template.yaml must contain {CODE_URI!r} exactly once")
    return template.replace(CODE_URI, f"CodeUri: s3://{ARTIFACT_BUCKET}/src.zip")


def _wait_for_outputs(cloudformation: Any) -> dict[str, str]:  # noqa: ANN401 - boto3's client
    deadline = time.monotonic() + DEPLOY_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            break
        time.sleep(0.2)
    events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
    failed = [event for event in events if "FAILED" in event["ResourceStatus"]]
    reasons = [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed]
    timeout = f"not complete after {DEPLOY_TIMEOUT_SECONDS} s"
    raise CloudFailed("The stack could not be created: " + "; ".join(reasons or [timeout]))


def _function_environment(lambda_client: Any, function_name: str) -> dict[str, str]:  # noqa: ANN401 - boto3's client
    variables: dict[str, str] = lambda_client.get_function_configuration(FunctionName=function_name)["Environment"]["Variables"]
    return variables | {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }


def local_client(service: str, endpoint: str) -> Any:  # noqa: ANN401 - boto3's clients exist at run time only
    """A boto3 client of a local cloud's root user."""
    session: Any = boto3.session.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION)
    return session.client(service, endpoint_url=endpoint, config=WITHOUT_PROXY)
