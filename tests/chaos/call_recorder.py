"""Records which AWS calls a scenario's target makes when there are no faults."""

from tests.chaos.case_run import CaseRun
from tests.chaos.cases import Scenario
from tests.chaos.cloud import ChaosCloud
from tests.chaos.ledger_stream import LedgerStream


class CallRecorder:
    def __init__(self, cloud: ChaosCloud) -> None:
        self._cloud = cloud
        self._stream = LedgerStream(cloud.client("dynamodb"), cloud.client("dynamodbstreams"), cloud.table)

    def calls_of(self, scenario: Scenario) -> tuple[str, ...]:
        """The calls as "service.Operation". Raises RuntimeError if the target makes none, or fails."""
        transform = self._cloud.transform(f"probe-{scenario.name}".replace(" ", "-").replace(",", ""))
        case_run = CaseRun(self._cloud, self._stream, transform, scenario)
        case_run.run()
        self._cloud.release(transform)
        if case_run.target is None or not case_run.target.calls or case_run.target.raised:
            raise RuntimeError(f"the scenario {scenario.name!r} fails without faults: {case_run.target}")
        return case_run.target.calls
