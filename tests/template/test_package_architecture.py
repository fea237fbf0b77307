"""For which processor the package is built, and how its bytecode is made."""

from pathlib import Path

import pytest

from ops.package.architecture import architecture_of
from ops.package.build import compile_ours


def test_bytecode_is_loaded_whatever_the_files_times(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text("def function():\n    raise ValueError\n")
    compile_ours(tmp_path / "package")
    (compiled,) = (tmp_path / "package" / "__pycache__").glob("module.*.pyc")
    flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
    assert flags == 0b01  # by hash, not to be checked: PEP 552
    assert b"/var/task/package/module.py" in compiled.read_bytes()  # what a traceback names


def written_by_sam(folder: Path, architecture: str) -> Path:
    (folder / "build").mkdir()
    definition = f'[function_build_definitions.a]\narchitecture = "{architecture}"\nfunctions = ["ApiFunction"]\n'
    (folder / "build.toml").write_text(definition)
    return folder / "build" / "ApiFunction"


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCHITECTURE", raising=False)


def test_the_processor_is_the_one_that_sam_wrote_down(tmp_path: Path) -> None:
    assert architecture_of("ApiFunction", written_by_sam(tmp_path, "x86_64")) == "x86_64"


def test_without_sams_file_a_variable_has_to_name_the_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="set ARCHITECTURE"):
        architecture_of("ApiFunction", tmp_path / "build" / "ApiFunction")
    monkeypatch.setenv("ARCHITECTURE", "arm64")
    assert architecture_of("ApiFunction", tmp_path / "build" / "ApiFunction") == "arm64"


def test_a_variable_that_contradicts_the_template_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHITECTURE", "arm64")
    with pytest.raises(SystemExit, match="ARCHITECTURE says arm64"):
        architecture_of("ApiFunction", written_by_sam(tmp_path, "x86_64"))
