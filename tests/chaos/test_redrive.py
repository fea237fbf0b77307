"""`make redrive`: dead letters go through their function again, and stay on their queue if it fails."""

from ops.redrive.redrive import QUEUES, redrive
from ops.redrive.stack import Deployed
from tests.chaos.cloud import ChaosCloud
from tests.chaos.redrive_queues import command, count_messages, items_of, put, redrive_queue


def test_undelivered_event_and_failed_command_start_their_runs(cloud: ChaosCloud, deployed: Deployed, transform: str) -> None:
    event, failed = command(cloud, transform), command(cloud, transform)
    put(cloud, "UndeliveredEvents", event)
    put(cloud, "FailedCommands", {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": failed})
    for queue in ("UndeliveredEvents", "FailedCommands"):
        tally, _ = redrive_queue(deployed, queue)
        assert (tally.sent, tally.kept) == (1, [])
        assert count_messages(cloud, queue) == 0
    assert [len(items_of(cloud, command_event)) for command_event in (event, failed)] == [1, 1]


def test_dead_letter_sent_twice_starts_one_run(cloud: ChaosCloud, deployed: Deployed, transform: str) -> None:
    event = command(cloud, transform)
    for _ in range(2):
        put(cloud, "UndeliveredEvents", event)
    assert redrive_queue(deployed, "UndeliveredEvents")[0].sent == 2
    (run,) = items_of(cloud, event)
    task_runs = cloud.client("glue").get_ml_task_runs(TransformId=transform)["TaskRuns"]
    paths = [task_run["Properties"]["LabelingSetGenerationTaskRunProperties"]["OutputS3Path"] for task_run in task_runs]
    assert paths.count(run["path"]["S"]) == 1


def test_letter_that_its_function_rejects_stays_on_its_queue(cloud: ChaosCloud, deployed: Deployed) -> None:
    put(cloud, "FailedCommands", {"requestPayload": {"id": "1", "source": "tests", "detail-type": "Garbage", "detail": {}}})
    put(cloud, "FailedCommands", "not a record of Lambda")
    tally, output = redrive_queue(deployed, "FailedCommands")
    assert (tally.sent, len(tally.kept)) == (0, 2)
    assert "not a command: 'Garbage'" in output
    assert count_messages(cloud, "FailedCommands") == 2


def test_dry_run_only_prints(cloud: ChaosCloud, deployed: Deployed, transform: str) -> None:
    event = command(cloud, transform)
    put(cloud, "UndeliveredEvents", event)
    output: list[str] = []
    redrive(deployed, ["UndeliveredEvents"], output.append, dry_run=True)
    assert event["id"] in output[0]
    assert not items_of(cloud, event)
    assert count_messages(cloud, "UndeliveredEvents") == 1


def test_failed_tick_reconciles(cloud: ChaosCloud, deployed: Deployed, transform: str) -> None:
    event = command(cloud, transform)
    deployed.invoke("BusFunctionName", event)
    put(cloud, "FailedReconciles", {"requestContext": {}, "requestPayload": {}})
    put(cloud, "FailedReconciles", {"scheduled": "tick"})  # as EventBridge Scheduler leaves it
    assert redrive_queue(deployed, "FailedReconciles")[0].sent == 2
    assert items_of(cloud, event)[0]["status"]["S"] in ("RUNNING", "SUCCEEDED")


def test_every_dead_letter_queue_of_the_stack_can_be_redriven(cloud: ChaosCloud) -> None:
    assert {name.removesuffix("Url") for name in cloud.stack.outputs if name.endswith("Url")} - {"Api", "Label"} == set(QUEUES)
