"""Make .venv and install lggkit with the pinned tool chain: ``python tools/setup.py [--torch-index URL]``.

Only the standard library is used: this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
LARGE = 20  # megabytes from which a download is worth a line


def progress(line: str) -> str | None:
    """The line of pip's output that is worth showing, shortened, or None."""
    download = re.match(r"\s*(?:Downloading|Using cached) (\S+) \(([\d.]+) MB\)", line)
    if download and float(download[2]) >= LARGE:
        return f"  {download[1].rsplit('/', 1)[-1]} ({float(download[2]):.0f} MB)"
    if line.startswith("Installing collected packages:"):
        return f"  unpacking {line.count(',') + 1} packages"
    return line.rstrip() if line.startswith(("ERROR", "error")) else None


def pip(*arguments: str) -> None:
    """Run pip, showing little; on failure show the end of what it said and stop."""
    # Files are compiled when first imported: compiling all of torch up front costs more than it saves.
    command = [str(PYTHON), "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", *arguments]
    said = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            said.append(line)
            shown = progress(line)
            if shown:
                print(shown, flush=True)
    if process.returncode:
        sys.exit("".join(said[-15:]) + "error: pip could not install; its last lines are above")


def make_venv() -> None:
    if PYTHON.exists():
        return
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(
            f"{done.stdout}{done.stderr}error: {sys.executable} cannot make a virtual environment; "
            "on Debian and Ubuntu: apt install python3-venv"
        )


def install(torch_index: str) -> None:
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    if torch_index:
        pip(
            "--no-deps", "--force-reinstall", "--index-url", torch_index, *constraints, "torch", "torchvision"
        )
    pip(*constraints, "--editable", f"{ROOT}[book,test,lint]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--torch-index", default="", help="where torch and torchvision come from, if not PyPI"
    )
    chosen = parser.parse_args()
    start = time.perf_counter()
    print(
        f"Setting up .venv with Python {sys.version.split()[0]} (some minutes, about 6 GB with CUDA)",
        flush=True,
    )
    make_venv()
    install(chosen.torch_index)
    subprocess.run([str(PYTHON), str(ROOT / "tools" / "check_torch.py")], check=True)
    print(f"  set up in {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
