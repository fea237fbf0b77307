"""The URL and signing scope of a client's requests, without sending them."""

from typing import Any

from botocore.awsrequest import AWSRequest


def request_target(client: Any) -> tuple[str, str]:  # noqa: ANN401  botocore makes clients at run time
    """(URL, region/service/aws4_request) of a request of the client. Closes the client."""

    class Intercepted(Exception):
        pass

    def stop(request: AWSRequest, **_: object) -> None:
        scope = str(request.headers["Authorization"]).split("Credential=")[1].split(",")[0].split("/", 2)[2]
        raise Intercepted(request.url, scope)

    client.meta.events.register("before-send", stop)
    check: Any = {"TableName": "ledger", "ConditionExpression": "attribute_exists(id)"}
    keys = [{"id": {"S": "1"}}, {"id": {"S": "2"}}]
    calls: dict[str, Any] = {
        "dynamodb": lambda: client.transact_write_items(TransactItems=[{"Delete": check | {"Key": key}} for key in keys]),
        "events": lambda: client.put_events(Entries=[{"Source": "us"}]),
        "glue": lambda: client.get_ml_task_runs(TransformId="tfm-1"),
        "lambda": lambda: client.invoke(FunctionName="reconciler", InvocationType="Event", Payload=b"{}"),
        "sqs": lambda: client.send_message(QueueUrl="https://sqs.us-east-1.amazonaws.com/123456789012/queue", MessageBody="{}"),
        "s3": lambda: client.get_object(Bucket="label-loop-data", Key="labels"),
    }
    try:
        calls[client.meta.service_model.service_name]()
    except Intercepted as intercepted:
        url, scope = intercepted.args
        return url, scope
    finally:
        client.close()
    raise AssertionError("nothing was sent")
