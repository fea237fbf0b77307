"""The six operations on transforms."""

from local.glue import errors, task_runs, transforms
from local.glue.context import Context, Output, Parameters, transform_of, with_token
from local.glue.listing import page_of_transforms
from local.glue.transform_store import StoredTransform


def create_transform(context: Context, asked: Parameters) -> Output:
    transform_id = task_runs.new_transform_id()
    document = transforms.new_transform_document(transform_id, asked, context.aws.catalog, context.clock())
    with context.store.transaction():
        count, limit = len(context.store.transforms.all()), context.settings.max_transforms_per_account
        if context.store.transforms.named(asked["Name"]):
            raise errors.name_taken(asked["Name"])
        if count >= limit:
            raise errors.too_many_transforms(count, limit)
        context.store.transforms.add(transform_id, document, asked.get("Tags", {}))
    return {"TransformId": transform_id}


def get_transform(context: Context, asked: Parameters) -> Output:
    return _shown(transform_of(context, asked), context.store.labels.counts())


def get_transforms(context: Context, asked: Parameters) -> Output:
    counts = context.store.labels.counts()
    page = page_of_transforms(context.store.transforms.all(), asked)
    return with_token({"Transforms": [_shown(item, counts) for item in page.items]}, page.next_token)


def list_transforms(context: Context, asked: Parameters) -> Output:
    page = page_of_transforms(context.store.transforms.all(), asked)
    return with_token({"TransformIds": [item.transform_id for item in page.items]}, page.next_token)


def update_transform(context: Context, asked: Parameters) -> Output:
    with context.store.transaction():
        transform = transform_of(context, asked)
        changes = transforms.describe_changes(transform.document, asked)
        namesake = context.store.transforms.named(changes.get("Name", ""))
        if namesake is not None and namesake.transform_id != transform.transform_id:
            raise errors.invalid_input(f"Another transform with name {changes['Name']} already exists.")
        context.store.transforms.change(transform.transform_id, changes, context.clock())
    return {"TransformId": transform.transform_id}


def delete_transform(context: Context, asked: Parameters) -> Output:
    """Also ends the transform's runs, and forgets them and its labels."""
    with context.store.transaction():
        transform = transform_of(context, asked)
        runs = context.store.runs.of_transform(transform.transform_id)
        context.store.forget_transform(transform.transform_id)
    for run in runs:
        context.supervisor.stop(run.run_id)
    return {"TransformId": transform.transform_id}


def _shown(transform: StoredTransform, label_counts: dict[str, int]) -> Output:
    """LabelCount is the number of labeled rows in force."""
    return {**transform.document, "LabelCount": label_counts.get(transform.transform_id, 0)}
