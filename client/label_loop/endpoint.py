"""Find the API: by URL, by CloudFormation stack, in the environment, or the local cloud of the project's folder."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from label_loop.errors import LabelLoopError, NoCredentials, UsageError

DEFAULT_STACK = "glue-label-loop"
URL_VARIABLE = "LABEL_LOOP_API"
LOCAL_STACK_FILE = Path(".local", "stack.json")
_API_HOST = re.compile(r"^https://[a-z0-9]+(?:-vpce-[a-z0-9]+)?\.execute-api\.([a-z0-9-]+)\.amazonaws\.com")


@dataclass(frozen=True)
class Endpoint:
    """Where the API is, and with which credentials it is called. `aws_endpoint_url` is the local cloud's, else None."""

    url: str
    region: str
    credentials: Credentials
    session: Session
    aws_endpoint_url: str | None = None

    def aws_client(self, service: str) -> Any:  # noqa: ANN401 - botocore makes clients at run time
        """A botocore client of another AWS service, with the same credentials."""
        frozen = self.credentials.get_frozen_credentials()
        return self.session.create_client(
            service,
            region_name=self.region,
            endpoint_url=self.aws_endpoint_url,
            aws_access_key_id=frozen.access_key,
            aws_secret_access_key=frozen.secret_key,
            aws_session_token=frozen.token,
        )


def find_endpoint(
    api: str | None = None,
    stack: str | None = None,
    *,
    local: bool = False,
    profile: str | None = None,
    region: str | None = None,
) -> Endpoint:
    """The endpoint that the arguments name; without any, that of LABEL_LOOP_API, or of the stack glue-label-loop.

    Raises UsageError if arguments contradict each other or no region is known, NoCredentials, and LabelLoopError if there is no
    such stack or no local cloud.
    """
    if sum((api is not None, stack is not None, local)) > 1:
        raise UsageError("give only one of --api, --stack and --local")
    if local:
        return _local_endpoint()
    session = Session(profile=profile)
    url = api or (None if stack else os.environ.get(URL_VARIABLE))
    host_region = _API_HOST.match(url or "")
    region = region or (host_region[1] if host_region else session.get_config_variable("region"))
    if region is None:
        raise UsageError("no region: give --region, or set AWS_REGION or the profile's region")
    credentials = _credentials(session)
    return Endpoint((url or _stack_url(session, stack or DEFAULT_STACK, region)).rstrip("/"), region, credentials, session)


def _credentials(session: Session) -> Credentials:
    try:
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise NoCredentials(f"the credentials cannot be used: {error}") from error
    if credentials is None:
        raise NoCredentials("no AWS credentials: run `aws configure` or `aws sso login`, or give --profile")
    return credentials


def _stack_url(session: Session, stack: str, region: str) -> str:
    try:
        client: Any = session.create_client("cloudformation", region_name=region)
        stacks = client.describe_stacks(StackName=stack)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        raise LabelLoopError(
            f"the stack {stack} cannot be read in {region}: {error}. Give --api, --stack or --region."
        ) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    if "ApiUrl" not in outputs:
        raise LabelLoopError(f"the stack {stack} has no output ApiUrl: it is not a Glue Label Loop")
    return str(outputs["ApiUrl"])


def _local_endpoint() -> Endpoint:
    folders = [Path.cwd(), *Path.cwd().parents]
    path = next((folder / LOCAL_STACK_FILE for folder in folders if (folder / LOCAL_STACK_FILE).is_file()), None)
    if path is None:
        raise LabelLoopError(f"no local cloud: {LOCAL_STACK_FILE} is neither here nor in a folder above; run `make up` first")
    document = json.loads(path.read_text(encoding="utf-8"))
    env = document["env"]
    return Endpoint(
        url=document["apiUrl"].rstrip("/"),
        region=env["AWS_REGION"],
        credentials=Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]),
        session=Session(),
        aws_endpoint_url=document["awsEndpointUrl"],
    )
