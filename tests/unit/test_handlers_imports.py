"""Importing the handlers reads no setting, makes no AWS client and connects to nothing."""

import subprocess
import sys

import pytest

from tests.unit.test_handlers_cold_start import MODULES, ROOT, SOURCE

# Imports modules in a process without environment variables; what this service's own code does meanwhile ends the process.
WATCHED_IMPORT = """
import os, sys
import botocore.session

SOURCE, modules = sys.argv[1], sys.argv[2:]

class Environment(os._Environ):
    def __getitem__(self, name):
        frame = sys._getframe(1)
        while frame.f_code.co_filename.endswith(("os.py", "<frozen os>", "_collections_abc.py", "<frozen _collections_abc>")):
            frame = frame.f_back
        if frame.f_code.co_filename.startswith(SOURCE):
            sys.exit(f"{frame.f_code.co_filename} reads {name}")
        return super().__getitem__(name)

def audit(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen"):
        os._exit(3)

def no_session(*_, **__):
    sys.exit("a botocore session is made")

os.environ.__class__ = Environment
sys.addaudithook(audit)
botocore.session.Session.__init__ = no_session
for module in modules:
    __import__(module)
print("imported")
"""


def import_watched(*modules: str, path: str = str(SOURCE)) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", WATCHED_IMPORT, path, *modules],
        env={"PYTHONPATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_importing_the_handlers_reads_no_setting_and_connects_to_nothing() -> None:
    process = import_watched(*MODULES)
    assert (process.returncode, process.stdout) == (0, "imported\n"), process.stderr


def test_the_api_imports_nothing_about_labeling_before_a_request_needs_it() -> None:
    program = "import handlers.api, sys; handlers.api.build_app(); print([name for name in sys.modules if 'label' in name])"
    process = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True
    )
    assert "core.label_file" in process.stdout
    assert "labeling." not in process.stdout
    assert "labeling_" not in process.stdout.replace("core.labeling_sets", "")


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ('os.environ["PATH"]', "reads PATH"),
        ('os.environ.get("LEDGER_TABLE")', "reads LEDGER_TABLE"),
        ('os.getenv("LEDGER_TABLE")', "reads LEDGER_TABLE"),
        ("botocore.session.Session()", "a botocore session is made"),
        ('socket.create_connection(("localhost", 9))', ""),
    ],
)
def test_work_at_import_would_be_noticed(tmp_path_factory: pytest.TempPathFactory, statement: str, complaint: str) -> None:
    folder = tmp_path_factory.mktemp("modules")
    (folder / "busy.py").write_text(f"import os, socket, botocore.session\n{statement}\n")
    process = import_watched("busy", path=str(folder))
    assert process.returncode != 0
    assert process.stdout == ""
    assert complaint in process.stderr
