"""botocore's data files, slim: the services that the code has clients of, with the operations that it can name."""

import json
from collections.abc import Callable
from pathlib import Path

import botocore
from botocore import xform_name
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceId

from ops.package.models import Json, slim_endpoints, slim_paginators, slim_service, slim_values, slim_waiters
from ops.package.operations import called_on_clients, named_in, services_of, used_operations

_KINDS: dict[str, Callable[[Json, set[str]], Json]] = {
    "paginators-1": slim_paginators,
    "waiters-2": slim_waiters,
    "endpoint-rule-set-1": lambda rules, _: rules,
}
_OF_NO_SERVICE = ("partitions", "_retry", "sdk-default-configuration")


def slim_data(source: Path) -> dict[str, Json]:
    """Botocore's data for the code in `source`, by the path of the file, without its suffix, in botocore/data."""
    ours, its_own = sorted(source.rglob("*.py")), sorted(Path(botocore.__file__).parent.glob("*.py"))
    names = named_in(ours) | called_on_clients(its_own)
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    data = {name: loader.load_data(name) for name in _OF_NO_SERVICE}
    services = sorted(services_of(ours))
    for service in services:
        data |= _of_service(service, names, loader)
    prefixes = {model["metadata"]["endpointPrefix"] for path, model in data.items() if path.endswith("service-2")}
    return data | {"endpoints": slim_endpoints(loader.load_data("endpoints"), prefixes)}


def write_data(data: dict[str, Json], folder: Path) -> None:
    """Put `data`, by the paths that `slim_data` gives, into the files where botocore looks below `folder`."""
    for name, content in data.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, separators=(",", ":")))


def names_in_events(data: dict[str, Json]) -> set[str]:
    """What the services of `data` are called in botocore's events."""
    models = [model for path, model in data.items() if path.endswith("/service-2")]
    return {ServiceId(model["metadata"]["serviceId"]).hyphenize() for model in models}


def _of_service(service: str, names: set[str], loader: Loader) -> dict[str, Json]:
    version = loader.determine_latest_version(service, "service-2")
    model = slim_values(loader.load_service_model(service, "service-2", version), names)
    used = used_operations(model, {operation: xform_name(operation) for operation in model["operations"]}, names)
    found = {f"{service}/{version}/service-2": slim_service(model, used)}
    for kind, slim in _KINDS.items():
        try:
            found[f"{service}/{version}/{kind}"] = slim(loader.load_service_model(service, kind, version), used)
        except (DataNotFoundError, UnknownServiceError):
            continue  # not every service has waiters, or paginators
    return found
