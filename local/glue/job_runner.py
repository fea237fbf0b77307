"""The work of each kind of task run. It needs nothing of the service's state, so it can run in a worker process."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from local.glue.aws import Aws, S3Path, parse_s3_path
from local.glue.job import Job, JobFailed, Outcome
from local.glue.label_files import read_labels, write_labeling_sets, write_labels
from local.glue.tables.table_reader import read_table

SETS_PER_FILE, ROWS_PER_SET = 10, 10


def run_job(job: Job, aws: Aws) -> Outcome:
    """Run a job. Raises JobFailed, aws.Unavailable, LabelFileRefused or findmatches' NotEnoughLabels, with the reason."""
    return _HANDLERS[job.kind](job, aws)


def _generate_labeling_sets(job: Job, aws: Aws) -> Outcome:
    import findmatches  # noqa: PLC0415 - it loads scikit-learn, which only a worker needs

    table = read_table(aws, job.table, job.primary_key)
    if len(table) < 2:  # noqa: PLR2004 - a pair
        raise JobFailed(f"The table has {len(table)} rows; matching needs at least 2.")
    sets = findmatches.propose_labeling_sets(
        table,
        [findmatches.Label(label.set_id, label.label, label.key) for label in job.labels],
        _settings(job),
        sets=SETS_PER_FILE,
        rows_per_set=ROWS_PER_SET,
    )
    if not sets:
        raise JobFailed("No rows are left whose labels would improve the transform.")
    stem = job.run_id.removeprefix("tsk-")[:12]
    named = [(f"{stem}-{number:02}", rows) for number, rows in enumerate(sets, start=1)]
    aws.objects.write(_output_path(job, "labeling_set"), write_labeling_sets(table, named))
    return Outcome()


def _import_labels(job: Job, aws: Aws) -> Outcome:
    table = read_table(aws, job.table, job.primary_key)
    return Outcome(labels=tuple(read_labels(aws.objects.read(parse_s3_path(job.path)), table)))


def _export_labels(job: Job, aws: Aws) -> Outcome:
    table = read_table(aws, job.table, job.primary_key)
    aws.objects.write(_output_path(job, "labels"), write_labels(table, job.labels))
    return Outcome()


def _evaluate(job: Job, aws: Aws) -> Outcome:
    import findmatches  # noqa: PLC0415 - see _generate_labeling_sets

    table = read_table(aws, job.table, job.primary_key)
    labels = [findmatches.Label(label.set_id, label.label, label.key) for label in job.labels]
    evaluation = findmatches.evaluate(table, labels, _settings(job))
    return Outcome(
        metrics={
            "AreaUnderPRCurve": evaluation.area_under_pr_curve,
            "Precision": evaluation.precision,
            "Recall": evaluation.recall,
            "F1": evaluation.f1,
            "ConfusionMatrix": {
                "NumTruePositives": evaluation.true_positives,
                "NumFalsePositives": evaluation.false_positives,
                "NumTrueNegatives": evaluation.true_negatives,
                "NumFalseNegatives": evaluation.false_negatives,
            },
            "ColumnImportances": [
                {"ColumnName": name, "Importance": importance} for name, importance in evaluation.column_importances
            ],
        }
    )


def _find_matches(job: Job, aws: Aws) -> Outcome:
    from local.glue.match_table import write_matches  # noqa: PLC0415 - see _generate_labeling_sets

    write_matches(job, aws, _settings(job), _output_path(job, "matches", job.output_format))
    return Outcome()


def _settings(job: Job) -> Any:  # noqa: ANN401 - findmatches.Settings, which only a worker imports
    import findmatches  # noqa: PLC0415 - see _generate_labeling_sets

    return findmatches.Settings(
        precision_recall=job.parameters.get("PrecisionRecallTradeoff"),
        accuracy_cost=job.parameters.get("AccuracyCostTradeoff"),
        enforce_labels=job.parameters.get("EnforceProvidedLabels", False),
        seed=job.seed,
    )


def _output_path(job: Job, content: str, suffix: str = "csv") -> S3Path:
    """`<TransformId>_labels_YYYY-MM-DD_HH_MM_SS_<uuid>.csv`, the name that Glue gives an export."""
    when = datetime.fromtimestamp(job.started_on, UTC).strftime("%Y-%m-%d_%H_%M_%S")
    return parse_s3_path(job.path).child(f"{job.transform_id}_{content}_{when}_{uuid4()}.{suffix}")


_HANDLERS = {
    "LABELING_SET_GENERATION": _generate_labeling_sets,
    "IMPORT_LABELS": _import_labels,
    "EXPORT_LABELS": _export_labels,
    "EVALUATION": _evaluate,
    "FIND_MATCHES": _find_matches,
}
