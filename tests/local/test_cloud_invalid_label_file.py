"""An upload that is not a label file is refused before Glue is called, and an event says why."""

from label_loop.api import ApiClient
from local.cloud.stack import Stack
from tests.local.helpers import EventLog, eventually


def test_an_upload_that_is_not_a_label_file_ends_in_a_refused_run(
    stack: Stack, api: ApiClient, transform_id: str, event_log: EventLog
) -> None:
    key = f"labels/{transform_id}/not-labels.csv"
    stack.client("s3").put_object(Bucket=stack.bucket, Key=key, Body=b"color,size\nred,7\n")
    path = f"s3://{stack.bucket}/{key}"
    (event,) = eventually(lambda: event_log.with_run_fields(inputS3Path=path) or None)
    assert event["detail-type"] == "TaskRunRefused"
    run = api.get_task_run(event["detail"]["data"]["id"]).body
    assert (run["status"], run["taskRunId"]) == ("REFUSED", None)
    assert run["error"]["message"] == "line 1: the header must begin with labeling_set_id,label"
