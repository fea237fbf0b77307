"""An upload that is no labeling file: its import runs, fails, and says why."""

from local.rest import Api
from local.stack import Stack
from tests.local.laptop import Heard, eventually


def test_a_file_that_is_no_labeling_file_ends_in_a_failed_run(stack: Stack, api: Api, transform_id: str, heard: Heard) -> None:
    key = f"labels/{transform_id}/not-labels.csv"
    stack.client("s3").put_object(Bucket=stack.bucket, Key=key, Body=b"colour,size\nred,7\n")
    path = f"s3://{stack.bucket}/{key}"
    events = eventually(lambda: said if len(said := heard.about(inputS3Path=path)) > 1 else None)
    assert [event["detail-type"] for event in events] == ["TaskRunStarted", "TaskRunFailed"]
    run = api.task_run(events[0]["detail"]["data"]["id"]).body
    assert run["status"] == "FAILED"
    assert run["error"]["message"]
