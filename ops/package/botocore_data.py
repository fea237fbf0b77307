"""Selected data of botocore: the services that the code has clients of, with the operations that it can call."""

import json
from collections.abc import Callable
from pathlib import Path

import botocore
from botocore import xform_name
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader

from ops.package.slim_models import Json, slim_endpoints, slim_paginators, slim_service, slim_values, slim_waiters
from ops.package.used_operations import called_on_clients, names_in, services_of, used_operations

_KINDS: dict[str, Callable[[Json, set[str]], Json]] = {
    "paginators-1": slim_paginators,
    "waiters-2": slim_waiters,
    "endpoint-rule-set-1": lambda rules, _: rules,
}
_OF_ALL_SERVICES = ("partitions", "_retry", "sdk-default-configuration")


def slim_data(source: Path) -> dict[str, Json]:
    """The data for the code in `source`, by path below a data folder of botocore's, without suffix."""
    our_code, its_own_code = sorted(source.rglob("*.py")), sorted(Path(botocore.__file__).parent.glob("*.py"))
    names = names_in(our_code) | called_on_clients(its_own_code)
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    data = {name: loader.load_data(name) for name in _OF_ALL_SERVICES}
    for service in sorted(services_of(our_code)):
        data |= _data_of(service, names, loader)
    prefixes = {model["metadata"]["endpointPrefix"] for path, model in data.items() if path.endswith("service-2")}
    return data | {"endpoints": slim_endpoints(loader.load_data("endpoints"), prefixes)}


def write_data(data: dict[str, Json], folder: Path) -> None:
    """Write `data`, as `slim_data` returns them, into a data folder of botocore's form."""
    for name, content in data.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, separators=(",", ":")))


def _data_of(service: str, names: set[str], loader: Loader) -> dict[str, Json]:
    version = loader.determine_latest_version(service, "service-2")
    model = slim_values(loader.load_service_model(service, "service-2", version), names)
    used = used_operations(model, {operation: xform_name(operation) for operation in model["operations"]}, names)
    data = {f"{service}/{version}/service-2": slim_service(model, used)}
    for kind, slim in _KINDS.items():
        try:
            data[f"{service}/{version}/{kind}"] = slim(loader.load_service_model(service, kind, version), used)
        except (DataNotFoundError, UnknownServiceError):
            continue  # not every service has waiters, or paginators
    return data
