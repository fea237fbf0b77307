"""Glue's error responses, in AWS's own words.

The messages are those of the AWS Glue developer guide, "AWS Glue machine learning exceptions", whose bracketed names are
placeholders. botocore's model says which exceptions an operation may raise.
"""


class GlueError(Exception):
    """An error response: the exception's name in the API model, its message and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid_input(message: str) -> GlueError:
    return GlueError("InvalidInputException", message)


def malformed(message: str) -> GlueError:
    return GlueError("SerializationException", message)


def unknown_operation(operation: str) -> GlueError:
    return GlueError("UnknownOperationException", f"{operation} is not an operation of this server.")


def transform_not_found(account_id: str, transform_id: str) -> GlueError:
    return GlueError("EntityNotFoundException", f"Cannot find MLTransform in account {account_id} with handle {transform_id}.")


def task_run_not_found(account_id: str, transform_id: str, run_id: str) -> GlueError:
    return GlueError(
        "EntityNotFoundException",
        f"No ML Task Run found for {run_id}: in account {account_id} for transform {transform_id}.",
    )


def no_labels(account_id: str, transform_id: str) -> GlueError:
    return GlueError(
        "EntityNotFoundException", f"No labelset exists for transformId {transform_id} in account id {account_id}."
    )


def name_taken(name: str) -> GlueError:
    return GlueError("AlreadyExistsException", f"Transform with name {name} already exists.")


def too_many_transforms(count: int, limit: int) -> GlueError:
    return GlueError(
        "ResourceNumberLimitExceededException",
        f"ML Transforms count ({count}) has exceeded the limit of {limit} transforms.",
    )


def label_file_too_big(limit_mb: int) -> GlueError:
    return GlueError("ResourceNumberLimitExceededException", f"Label file has exceeded the limit of {limit_mb} MB.")


def too_many_runs_of_transform(code: str, count: int, limit: int) -> GlueError:
    """`code`: by the API model ConcurrentRunsExceededException, and for an import ResourceNumberLimitExceededException."""
    return GlueError(code, f"ML Task Runs count {count} has exceeded the transform limit of {limit} task runs.")


def too_many_runs_of_account(code: str, count: int, limit: int) -> GlueError:
    return GlueError(code, f"ML Task Runs count {count} has exceeded the limit of {limit} task runs.")


def not_ready() -> GlueError:
    return GlueError(
        "MLTransformNotReadyException",
        "This operation can only be applied to a transform that is in a READY state.",
    )


def throttled() -> GlueError:
    return GlueError("ThrottlingException", "Rate exceeded")


def internal() -> GlueError:
    return GlueError("InternalServiceException", "Dependency failure.", status=500)
