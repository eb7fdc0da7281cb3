"""The scripts in .make: finding a Python for a TensorFlow, and downloading one."""
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

GOOD = "CPython 3.7.9, 64 bit, x86_64"
# What uv is in these tests: it notes its arguments, and installs a Python.
UV = f"""echo "$*, listed in $UV_PYTHON_DOWNLOADS_JSON_URL" >>log
mkdir -p .python/cpython-3.7.9-x/bin
printf '%s\\n' '#!/bin/sh' 'echo "{GOOD} at $0"' >.python/cpython-3.7.9-x/bin/python3.7
chmod +x .python/cpython-3.7.9-x/bin/python3.7"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the scripts are for POSIX systems")


class Machine:
    """A simulated machine: a home folder, a checkout with ``.make``, and a folder ``bin`` that is all of the PATH."""

    def __init__(self, folder, system="Linux x86_64"):
        self.home, self.bin, self.checkout = folder / "home with a space", folder / "bin", folder / "a checkout"
        shutil.copytree(str(ROOT / ".make"), str(self.checkout / ".make"))
        self.log = self.checkout / "log"
        self.command(self.bin / "uname", f"echo {system}")
        for name in ["sh", "mkdir", "cat", "chmod", "rm"]:
            (self.bin / name).symlink_to(shutil.which(name))

    def command(self, path, script):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def python(self, path, what=GOOD):
        """Create a Python that describes itself as ``what``; a name is that of a command on the PATH."""
        return self.command(self.bin / path, f"echo '{what} at {self.bin / path}'")

    def pip(self, uv=UV):
        """Create a Python 3.9 whose pip installs a uv."""
        self.command(self.bin / "python3", f"""
case $2 in *"import pip"*) exit 0 ;; *platform*) echo "CPython 3.9.1, 64 bit, x86_64 at $0"; exit ;; esac
mkdir -p .tools/bin
cat >.tools/bin/uv <<'END'
#!/bin/sh
{uv}
END
chmod +x .tools/bin/uv""")

    def find(self, **variables):
        """Return the path that is found, "" if it is none, and what is said."""
        found = subprocess.run(
            [str(self.checkout / ".make" / "find-python")], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env={"HOME": str(self.home), "PATH": str(self.bin), "PYTHON_DOWNLOAD": "no", **variables})
        assert found.returncode == (not found.stdout)
        return found.stdout.strip(), found.stderr


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("tensorflow, versions, chosen", [
    ("1", ["3.13.0", "3.7.9"], "3.7.9"), ("", ["3.13.0", "3.7.9"], "3.7.9"),
    ("2", ["3.7.9", "3.10.13", "3.13.0", "3.14.0"], "3.13.0")])
def test_the_newest_that_has_the_wanted_tensorflow_is_found(machine, tensorflow, versions, chosen):
    paths = {version: machine.python(f"python{version.rpartition('.')[0]}", f"CPython {version}, 64 bit, x86_64")
             for version in versions}
    assert machine.find(TENSORFLOW=tensorflow) == (str(paths[chosen]), "")


@pytest.mark.parametrize("tensorflow, what", [
    ("1", "CPython 3.12.1, 64 bit, x86_64"), ("1", "CPython 3.70.1, 64 bit, x86_64"),
    ("1", "PyPy 3.7.13, 64 bit, x86_64"), ("1", "CPython 3.7.9, 32 bit, x86_64"),
    ("1", "CPython 3.7.9, 64 bit, arm64"), ("1", f"{GOOD}, without the modules venv and ensurepip"), ("2", GOOD),
    ("2", "CPython 3.14.0, 64 bit, x86_64"), ("2", "CPython 3.13.0, 64 bit, x86_64, free-threaded"),
    ("", "CPython 3.9.18, 64 bit, x86_64")])
def test_any_other_python_is_refused_and_described(machine, tensorflow, what):
    path = str(machine.python("python3", what))
    found, said = machine.find(TENSORFLOW=tensorflow)
    assert found == "" and "Ways to get it" in said and "PYTHON=/path/to/python" in said
    found, said = machine.find(TENSORFLOW=tensorflow, PYTHON=path)
    assert found == "" and f"{path}, which is {what}" in said


@pytest.mark.parametrize("system, tensorflow, way", [
    ("Linux x86_64", "1", "pyenv install 3.7.17"), ("Darwin arm64", "1", "CONDA_SUBDIR=osx-64"),
    ("Linux aarch64", "1", "an x86-64 machine"), ("Linux aarch64", "", "pyenv install 3.13"),
    ("Linux x86_64", "3", "TENSORFLOW must be 1 or 2, not '3'")])
def test_if_there_is_none_the_message_names_a_way(tmp_path, system, tensorflow, way):
    found, said = Machine(tmp_path, system).find(TENSORFLOW=tensorflow)
    assert found == "" and way in said


def test_without_python_37_it_is_tensorflow_2_and_one_line_tells_so(machine):
    path = machine.python("python3", "CPython 3.12.1, 64 bit, x86_64")
    assert machine.find() == (str(path), "CPython 3.7, which TensorFlow 1.15 needs, was not found: TensorFlow 2 is "
                                         "used, with Python 3.12\n")


@pytest.mark.parametrize("place", [
    ".pyenv/versions/3.7.1/bin/python", ".local/share/uv/python/cpython-3.7.9-linux/bin/python3.7",
    "an environment/bin/python"])
def test_other_places_are_searched_and_a_command_that_fails_is_skipped(machine, place):
    machine.command(machine.bin / "python3.7", "echo 'pyenv: python3.7: command not found' >&2; exit 127")
    machine.command(machine.home / ".conda" / "environments.txt", f"/nowhere\n{machine.home / 'an environment'}")
    path = machine.python(machine.home / place)
    assert machine.find() == (str(path), "")


def test_the_override_comes_first_and_a_wrong_one_is_an_error(machine, tmp_path):
    machine.python("python3.7")
    other = str(machine.python(tmp_path / "o p" / "snake"))
    assert machine.find(PYTHON=other) == (other, "")
    found, said = machine.find(PYTHON="/nowhere/python")
    assert found == "" and "/nowhere/python, which is no Python that runs" in said


def test_in_a_virtual_environment_the_python_that_made_it_is_found(machine):
    found, said = machine.find(PYTHON=sys.executable)
    assert Path(found).samefile(sys.executable), said
    assert not found.startswith(str(Path(sys.prefix)) + os.sep) or sys.prefix == sys.base_prefix


# A download


def test_uv_downloads_python_into_the_checkout_once_and_one_line_tells_so(machine):
    machine.pip()
    path = str(machine.checkout / ".python/cpython-3.7.9-x/bin/python3.7")
    found, said = machine.find(PYTHON_DOWNLOAD="")
    assert found == path and said == (
        "No CPython 3.7 was found: downloading uv 0.6.17 (17 MB) to .tools and CPython 3.7.9 (28 MB) to .python\n")
    assert machine.log.read_text() == ("python install --no-config cpython-3.7-linux-x86_64-gnu, listed in "
                                       f"{machine.checkout.resolve()}/.make/downloads.json\n")
    machine.log.unlink()
    assert machine.find(PYTHON_DOWNLOAD="") == (path, "") and not machine.log.exists()


@pytest.mark.parametrize("system, variables", [
    ("Linux x86_64", {"PYTHON_DOWNLOAD": "no"}), ("Linux x86_64", {"PYTHON": "/nowhere/python"}),
    ("Linux x86_64", {"TENSORFLOW": "2"}), ("Darwin arm64", {})])
def test_nothing_is_downloaded_where_it_must_not_be_or_would_not_run(tmp_path, system, variables):
    machine = Machine(tmp_path, system)
    machine.pip()
    found, _ = machine.find(**{"PYTHON_DOWNLOAD": "yes", **variables})
    assert found == "" and not machine.log.exists() and not (machine.checkout / ".tools").exists()


def test_a_failed_download_says_why_and_ends_with_other_ways(machine):
    machine.pip('echo "no such address" >&2; exit 2')
    found, said = machine.find(PYTHON_DOWNLOAD="", TENSORFLOW="1")
    assert found == "" and "no such address" in said and "pyenv install 3.7.17" in said


@pytest.mark.slow
def test_a_download_with_another_hash_is_refused(machine, tmp_path):
    """By the real uv, which reads the archive from a file."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the archive is for Linux on x86-64")
    archive, path = tmp_path / "archive.tar.zst", machine.checkout / ".make" / "downloads.json"
    # a Zstandard frame of one block, which is an empty archive
    archive.write_bytes(b"\x28\xb5\x2f\xfd\x00\x38" + (1024 << 3 | 1).to_bytes(3, "little") + bytes(1024))
    downloads = json.loads(path.read_text(encoding="utf-8"))
    for download in downloads.values():
        download["url"] = f"file://{archive}"
    path.write_text(json.dumps(downloads), encoding="utf-8")
    # only the folders of the system, so that there is no Python 3.7
    found, said = machine.find(PYTHON_DOWNLOAD="", TENSORFLOW="1", PATH="/usr/bin:/bin")
    if found or "uv could not be installed" in said:
        pytest.skip("this machine has a Python 3.7, or no pip that reaches a package index")
    assert "Hash mismatch" in said and not list(machine.checkout.glob(".python/*/bin"))
