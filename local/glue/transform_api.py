"""The six operations on transforms."""

from local.glue import errors, task_runs, transforms
from local.glue.context import Context, Request, Response, require_transform, with_next_token
from local.glue.listing import list_transforms_page
from local.glue.transform_store import StoredTransform


def create_transform(context: Context, request: Request) -> Response:
    transform_id = task_runs.new_transform_id()
    document = transforms.new_transform_document(transform_id, request, context.aws.catalog, context.clock())
    with context.store.transaction():
        count, limit = len(context.store.transforms.list_all()), context.settings.max_transforms_per_account
        if context.store.transforms.find_by_name(request["Name"]):
            raise errors.name_taken(request["Name"])
        if count >= limit:
            raise errors.too_many_transforms(count, limit)
        context.store.transforms.add(transform_id, document, request.get("Tags", {}))
    return {"TransformId": transform_id}


def get_transform(context: Context, request: Request) -> Response:
    return _describe(require_transform(context, request), context.store.labels.counts())


def get_transforms(context: Context, request: Request) -> Response:
    counts = context.store.labels.counts()
    page = list_transforms_page(context.store.transforms.list_all(), request)
    return with_next_token({"Transforms": [_describe(item, counts) for item in page.items]}, page.next_token)


def list_transforms(context: Context, request: Request) -> Response:
    page = list_transforms_page(context.store.transforms.list_all(), request)
    return with_next_token({"TransformIds": [item.transform_id for item in page.items]}, page.next_token)


def update_transform(context: Context, request: Request) -> Response:
    with context.store.transaction():
        transform = require_transform(context, request)
        changes = transforms.changed_members(transform.document, request)
        same_name = context.store.transforms.find_by_name(changes.get("Name", ""))
        if same_name is not None and same_name.transform_id != transform.transform_id:
            raise errors.invalid_input(f"Another transform with name {changes['Name']} already exists.")
        context.store.transforms.update(transform.transform_id, changes, context.clock())
    return {"TransformId": transform.transform_id}


def delete_transform(context: Context, request: Request) -> Response:
    """Delete a transform with its labels and runs; active runs are stopped."""
    with context.store.transaction():
        transform = require_transform(context, request)
        runs = context.store.runs.for_transform(transform.transform_id)
        context.store.delete_transform_records(transform.transform_id)
    for run in runs:
        context.supervisor.stop(run.run_id)
    return {"TransformId": transform.transform_id}


def _describe(transform: StoredTransform, label_counts: dict[str, int]) -> Response:
    """LabelCount is the number of labeled rows in use."""
    return {**transform.document, "LabelCount": label_counts.get(transform.transform_id, 0)}
