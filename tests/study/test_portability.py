"""The study can be imported and used where the modules that only POSIX systems have are missing."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
POSIX_ONLY = ("fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog", "posix_ipc")
USED = """
import sys
for name in {names!r}:
    sys.modules[name] = None
import importlib, pkgutil
import lggkit.study
for info in pkgutil.iter_modules(lggkit.study.__path__, "lggkit.study."):
    importlib.import_module(info.name)
from lggkit.record import Record
from lggkit.study.records.ledger import Ledger
record = Record("0" * 16, "lgg/s", "a", "smoke", 0, {{}}, {{"error": 1.0}})
ledger = Ledger(sys.argv[1])
assert ledger.append(record) and not ledger.append(record)
assert ledger.records("lgg/s", "smoke") == [record]
print("used")
"""


def test_no_module_of_posix_is_needed(tmp_path):
    code = USED.format(names=POSIX_ONLY)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout == "used\n", done.stderr


def test_no_module_of_posix_is_imported():
    files = [*(ROOT / "lggkit").rglob("*.py"), *(ROOT / "tools").glob("*.py")]
    lines = [(file, line.split()) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    used = [(file, words[1]) for file, words in lines if words[:1] in (["import"], ["from"])]
    assert used and not [(file, name) for file, name in used if name.split(".")[0] in POSIX_ONLY]
