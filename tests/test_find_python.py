"""The scripts in .make: finding a Python for a TensorFlow, and downloading one."""
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GOOD = "CPython 3.7.9, 64 bit, x86_64"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the Makefile is for POSIX systems")


def run(command, **options):
    return subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, **options)


class Machine:
    """A simulated machine: a home folder, a checkout with ``.make``, and a folder ``bin`` that is all of the PATH.

    Attributes:
        log: a file with the calls of ``pip``, ``uv`` and the uv that they install.
    """

    def __init__(self, folder, system="Linux x86_64"):
        self.home = folder / "home with a space"
        self.bin = folder / "bin"
        self.checkout = folder / "a checkout"
        self.log = folder / "log"
        self.home.mkdir()
        shutil.copytree(str(ROOT / ".make"), str(self.checkout / ".make"))
        self.command("uname", f"echo {system}")
        for name in ["sh", "mkdir", "cat", "chmod", "rm"]:
            (self.bin / name).symlink_to(shutil.which(name))

    def command(self, name, script, folder=None):
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def python(self, name, what, folder=None):
        """Create a Python that describes itself as ``what``."""
        path = (folder or self.bin) / name
        return self.command(name, f"echo '{what} at {path}'", folder)

    def python_with_pip(self, name="python3", pip=True, uv_status=0):
        """Create a Python 3.9 whose pip installs a uv; that uv installs a good Python 3.7, unless it fails."""
        python = ".python/cpython-3.7.9-x/bin/python3.7"
        self.command(name, f"""
case $2 in
    *"import pip"*) exit {0 if pip else 1} ;;
    *platform*) echo "CPython 3.9.1, 64 bit, x86_64 at $0"; exit ;;
esac
echo "{name} $*" >>'{self.log}'
mkdir -p .tools/bin
cat >.tools/bin/uv <<'END'
#!/bin/sh
echo "uv $*, listed in $UV_PYTHON_DOWNLOADS_JSON_URL" >>'{self.log}'
[ {uv_status} = 0 ] || {{ echo "no such address" >&2; exit {uv_status}; }}
mkdir -p "$UV_PYTHON_INSTALL_DIR/../{Path(python).parent}"
printf '%s\\n' '#!/bin/sh' 'echo "{GOOD} at $0"' >{python}
chmod +x {python}
END
chmod +x .tools/bin/uv""")
        return self.checkout / python

    def find(self, **variables):
        return run([self.checkout / ".make" / "find-python"],
                   env={"HOME": str(self.home), "PATH": str(self.bin), **variables})

    def finds(self, path, said="", **variables):
        found = self.find(**variables)
        assert (found.returncode, found.stdout, found.stderr) == (0, f"{path}\n", said)

    def finds_nothing(self, **variables):
        """Check that no Python is found or downloaded, and return the message."""
        found = self.find(**{"PYTHON_DOWNLOAD": "no", **variables})
        assert (found.returncode, found.stdout) == (1, "")
        assert not self.log.exists()
        return found.stderr

    def calls(self):
        return self.log.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


class TestFinding:
    def test_a_command_that_fails_is_skipped_and_all_folders_of_the_path_are_searched(self, machine, tmp_path):
        machine.command("python3.7", "echo 'pyenv: python3.7: command not found' >&2; exit 127")
        later = machine.python("python3.7", GOOD, tmp_path / "later on")
        machine.finds(later, PATH=f"{machine.bin}:{later.parent}")

    @pytest.mark.parametrize("tensorflow, what", [
        *[("1", what) for what in [
            "CPython 3.6.15, 64 bit, x86_64", "CPython 3.12.1, 64 bit, x86_64", "CPython 3.70.1, 64 bit, x86_64",
            "PyPy 3.7.13, 64 bit, x86_64", "CPython 3.7.9, 32 bit, x86_64", "CPython 3.7.9, 64 bit, arm64",
            f"{GOOD}, without the modules venv and ensurepip"]],
        *[("2", what) for what in [
            GOOD, "CPython 3.9.18, 64 bit, x86_64", "CPython 3.14.0, 64 bit, x86_64", "CPython 3.1.4, 64 bit, x86_64",
            "PyPy 3.10.14, 64 bit, x86_64", "CPython 3.12.1, 32 bit, x86_64",
            "CPython 3.13.0, 64 bit, x86_64, free-threaded",
            "CPython 3.12.3, 64 bit, x86_64, without the modules venv and ensurepip"]],
        ("2.15", "CPython 3.12.1, 64 bit, x86_64"), ("2.15", GOOD),
        ("", "CPython 3.9.18, 64 bit, x86_64"), ("", "CPython 3.7.9, 64 bit, aarch64")])
    def test_any_other_python_is_refused_and_described(self, machine, tensorflow, what):
        path = machine.python("python3", what)
        assert "Ways to get it" in machine.finds_nothing(TENSORFLOW=tensorflow)
        message = machine.finds_nothing(PYTHON=str(path), TENSORFLOW=tensorflow)
        assert f"{path}, which is {what}" in message

    @pytest.mark.parametrize("tensorflow, versions, chosen", [
        ("1", ["3.13.0", "3.7.9"], "3.7.9"), ("", ["3.13.0", "3.7.9"], "3.7.9"),
        ("2", ["3.7.9", "3.10.13", "3.13.0", "3.14.0"], "3.13.0"), ("2", ["3.9.18", "3.10.13", "3.12.1"], "3.12.1"),
        ("2.15", ["3.10.13", "3.11.7", "3.12.1"], "3.11.7"), ("2.15", ["3.10.13", "3.13.0"], "3.10.13")])
    def test_the_newest_that_has_the_wanted_tensorflow(self, machine, tensorflow, versions, chosen):
        paths = {version: machine.python(f"python{version.rpartition('.')[0]}", f"CPython {version}, 64 bit, x86_64")
                 for version in versions}
        machine.finds(paths[chosen], TENSORFLOW=tensorflow)

    @pytest.mark.parametrize("system", ["Linux x86_64", "Linux aarch64", "Darwin arm64"])
    def test_without_python_37_it_is_tensorflow_2_and_one_line_tells_so(self, tmp_path, system):
        machine = Machine(tmp_path, system)
        path = machine.python("python3", f"CPython 3.12.1, 64 bit, {system.split()[1]}")
        said = "CPython 3.7, which TensorFlow 1.15 needs, was not found: TensorFlow 2 is used, with Python 3.12\n"
        machine.finds(path, said, PYTHON_DOWNLOAD="no")
        machine.finds(path, PYTHON=str(path))
        machine.finds_nothing(TENSORFLOW="1")

    @pytest.mark.parametrize("system, tensorflow, ways", [
        ("Linux x86_64", "1", ["  pyenv install 3.7.17", "  conda create -n charrnn python=3.7", "uv==0.6.17"]),
        ("Darwin arm64", "1", ["CONDA_SUBDIR=osx-64"]), ("Linux aarch64", "1", ["an x86-64 machine", "TENSORFLOW=2"]),
        ("Linux aarch64", "", ["No CPython 3.7 (x86_64) or 3.10 to 3.13", "  pyenv install 3.13", "python3-venv"]),
        ("Linux x86_64", "2.15", ["No CPython 3.10 or 3.11", "Horovod", "  uv python install 3.11"])])
    def test_if_there_is_none_the_message_names_ways_to_get_one(self, tmp_path, system, tensorflow, ways):
        message = Machine(tmp_path, system).finds_nothing(TENSORFLOW=tensorflow)
        assert all(way in message for way in ways)

    def test_another_tensorflow_is_refused(self, machine):
        assert machine.finds_nothing(TENSORFLOW="3") == "TENSORFLOW must be 1, 2 or 2.15, not '3'\n"

    @pytest.mark.parametrize("variable, place", [
        ("", ".pyenv/versions/V.1/bin/python"), ("", ".local/share/uv/python/cpython-V.9-linux/bin/pythonV"),
        ("PYENV_ROOT", "versions/V.9/bin/python"), ("XDG_DATA_HOME", "uv/python/cpython-V/bin/pythonV"),
        ("UV_PYTHON_INSTALL_DIR", "cpython-V.9-macos-x86_64-none/bin/pythonV")])
    @pytest.mark.parametrize("tensorflow, version", [("1", "3.7"), ("2", "3.12")])
    def test_other_places(self, machine, tmp_path, variable, place, tensorflow, version):
        folder = tmp_path / "some where" if variable else machine.home
        path = folder / place.replace("V", version)
        machine.python(path.name, f"CPython {version}.1, 64 bit, x86_64", path.parent)
        machine.finds(path, TENSORFLOW=tensorflow, **{variable or "X": str(folder)})

    def test_the_environments_of_conda(self, machine, tmp_path):
        environments = machine.home / ".conda" / "environments.txt"
        environments.parent.mkdir()
        environments.write_text(f"/nowhere\n{tmp_path / 'c d'}\n", encoding="utf-8")
        machine.finds(machine.python("python", GOOD, tmp_path / "c d" / "bin"))

    def test_the_override_comes_first_and_may_be_a_name_on_the_path(self, machine, tmp_path):
        machine.python("python3.7", GOOD)
        other = machine.python("snake", GOOD, tmp_path / "o p")
        machine.finds(other, PYTHON=str(other))
        machine.finds(other, PYTHON="snake", PATH=f"{machine.bin}:{other.parent}")

    @pytest.mark.parametrize("override", ["/nowhere/python", "nowhere", "/"])
    def test_a_wrong_override_is_an_error(self, machine, override):
        machine.python("python3.7", GOOD)
        assert f"{override}, which is no Python that runs" in machine.finds_nothing(PYTHON=override)

    def test_in_a_virtual_environment_the_python_that_made_it_is_found(self, machine):
        found = machine.find(PYTHON=sys.executable)
        assert found.returncode == 0, found.stderr
        assert Path(found.stdout.strip()).samefile(sys.executable)
        assert not found.stdout.startswith(str(Path(sys.prefix)) + os.sep) or sys.prefix == sys.base_prefix


class TestDownloading:
    @pytest.mark.parametrize("system, key, size", [
        ("Linux x86_64", "linux-x86_64-gnu", 28), ("Darwin x86_64", "macos-x86_64-none", 26)])
    def test_uv_downloads_python_into_the_checkout_once_and_one_line_tells_so(self, tmp_path, system, key, size):
        machine = Machine(tmp_path, system)
        path = machine.python_with_pip()
        machine.finds(path, "No CPython 3.7 was found: downloading uv 0.6.17 (17 MB) to .tools and CPython 3.7.9 "
                            f"({size} MB) to .python\n")
        assert machine.calls()[1].startswith(f"uv python install --no-config cpython-3.7-{key}, listed in /")
        machine.log.unlink()
        machine.finds(path)
        assert not machine.log.exists()

    def test_a_python_from_a_mirror_is_not_checked_and_the_line_tells_so(self, machine):
        machine.python_with_pip()
        assert "from UV_PYTHON_INSTALL_MIRROR, unchecked," in machine.find(UV_PYTHON_INSTALL_MIRROR="file:///x").stderr
        assert machine.calls()[1].endswith("listed in ")

    @pytest.mark.parametrize("system, variables", [
        ("Linux x86_64", {"PYTHON_DOWNLOAD": "no"}), ("Linux x86_64", {"PYTHON": "/nowhere/python"}),
        ("Linux x86_64", {"TENSORFLOW": "2"}), ("Linux aarch64", {}), ("Darwin arm64", {})])
    def test_nothing_is_downloaded_where_it_must_not_be_or_would_not_run(self, tmp_path, system, variables):
        machine = Machine(tmp_path, system)
        machine.python_with_pip()
        machine.finds_nothing(**{"PYTHON_DOWNLOAD": "yes", **variables})

    def test_a_python_without_pip_is_passed_over_and_uv_will_do(self, machine):
        machine.python_with_pip("python3", pip=False)
        machine.python_with_pip("uv")
        assert machine.find().returncode == 0
        assert machine.calls()[0] == "uv pip install -q --no-python-downloads --target .tools uv==0.6.17"

    @pytest.mark.parametrize("problem, said", [
        ({"pip": False}, "Python 3.8 or later with pip"), ({"uv_status": 2}, "no such address")])
    def test_a_failed_download_says_why_and_ends_with_other_ways(self, machine, problem, said):
        machine.python_with_pip(**problem)
        found = machine.find(TENSORFLOW="1")
        assert (found.returncode, found.stdout) == (1, "")
        assert said in found.stderr and "pyenv install 3.7.17" in found.stderr

    def test_after_a_failed_download_it_is_tensorflow_2(self, machine):
        machine.python_with_pip(uv_status=2)
        machine.python("python3.10", "CPython 3.10.1, 64 bit, x86_64")
        found = machine.find()
        assert found.stdout == f"{machine.bin}/python3.10\n"
        assert "TensorFlow 2 is used, with Python 3.10\n" in found.stderr

    def test_every_download_has_a_hash(self):
        downloads = json.loads((ROOT / ".make" / "downloads.json").read_text(encoding="utf-8"))
        assert len(downloads) == 2
        assert all(re.match(r"^[0-9a-f]{64}$", download["sha256"]) for download in downloads.values())


# ---- a real download, from a folder -----------------------------------------------------------------------

PATH_OF_THE_ARCHIVE = "20200822/cpython-3.7.9-x86_64-unknown-linux-gnu-pgo-20200823T0036.tar.zst"


class StoredZstd:
    """A file object that writes a Zstandard frame of uncompressed blocks, so that no compressor is needed."""

    BLOCK = 1 << 17

    def __init__(self, file):
        self.file = file
        self.pending = b""
        file.write(b"\x28\xb5\x2f\xfd\x00\x38")  # magic number, no options, a window of one block

    def write(self, content):
        self.pending += content
        while len(self.pending) > self.BLOCK:
            self._block(self.pending[:self.BLOCK], last=False)
            self.pending = self.pending[self.BLOCK:]
        return len(content)

    def close(self):
        self._block(self.pending, last=True)

    def _block(self, content, last):
        self.file.write(struct.pack("<I", len(content) << 3 | last)[:3] + content)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """A folder with the Python that runs the tests, as the archive that uv downloads."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        pytest.skip("the archive is for Linux on x86-64")
    folder = tmp_path_factory.mktemp("mirror")
    archive = folder / PATH_OF_THE_ARCHIVE
    archive.parent.mkdir()
    base = Path(sys.base_prefix)
    left_out = re.compile(r"/(site-packages|dist-packages|test|tests|__pycache__|config-3\.7m.*)$")
    with archive.open("wb") as file:
        stored = StoredZstd(file)
        with tarfile.open(fileobj=stored, mode="w|") as tar:
            for path in [*base.glob("bin/python3*"), *base.glob("lib/python3.7"), *base.glob("lib/libpython3*"),
                         *base.glob("include/python3.7m")]:
                tar.add(str(path), f"python/install/{path.relative_to(base)}",
                        filter=lambda member: None if left_out.search(member.name) else member)
        stored.close()
    return folder


@pytest.fixture
def fresh_machine(tmp_path):
    """A fresh clone, and an environment with two variables and without a Python 3.7."""
    environment = {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    if shutil.which("python3.7", path=environment["PATH"]) or shutil.which("make", path=environment["PATH"]) is None:
        pytest.skip("this machine has a Python 3.7 or no make in /usr/bin")
    pip = run(["python3", "-m", "pip", "download", "-q", "--no-deps", "-d", tmp_path / "pip", "uv==0.6.17"],
              env=environment)
    if pip.returncode:
        pytest.skip("python3 has no pip, or pip reaches no package index")
    clone = tmp_path / "a clone"
    clone.mkdir()
    for name in [".make", "charrnn", "Makefile", "README.md", "setup.py",
                 *[path.name for path in ROOT.glob("requirements*.txt")]]:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(str(ROOT / name), str(clone / name))
    return clone, environment


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("download, version", [("yes", "1.15.0"), ("no", "2.21.0")])
def test_without_a_python_37_make_train_downloads_one_or_uses_tensorflow_2(fresh_machine, mirror, download, version):
    clone, environment = fresh_machine
    if download == "no" and run(["sh", ".make/find-python"], cwd=str(clone), env={
            **environment, "TENSORFLOW": "2"}).returncode:
        pytest.skip("this machine has no Python 3.10 to 3.13 in /usr/bin")
    (clone / "small.txt").write_text("the cat sat on the mat\n" * 40, encoding="utf-8")
    flags = "--batch-size 2 --num-steps 5 --lstm-size 4 --epochs 1 --sample-length 0 --print-every-n 1"
    train = run(["make", "train", "TEXT=small.txt", f"ARGS={flags}", f"UV_PYTHON_INSTALL_MIRROR=file://{mirror}",
                 f"PYTHON_DOWNLOAD={download}"], cwd=str(clone), env=environment)
    assert train.returncode == 0, train.stderr
    assert (clone / ".python").exists() == (download == "yes") == ("TensorFlow 2 is used" not in train.stderr)
    assert re.search(r"step 1/\d+ +loss \d", train.stdout), train.stdout
    freeze = run([clone / ".venv" / "bin" / "python", "-m", "pip", "freeze"], env=environment)
    assert f"tensorflow=={version}" in freeze.stdout.splitlines()
    assert run(["make", "clean"], cwd=str(clone), env=environment).returncode == 0
    assert not (clone / ".venv").exists() and not (clone / ".tools").exists()
    assert not list(clone.parent.glob("home/.local"))


@pytest.mark.slow
def test_a_download_with_another_hash_is_refused(fresh_machine, mirror):
    clone, environment = fresh_machine
    downloads = clone / ".make" / "downloads.json"
    content = downloads.read_text(encoding="utf-8")
    address = "https://github.com/astral-sh/python-build-standalone/releases/download/" + PATH_OF_THE_ARCHIVE
    assert address in content
    downloads.write_text(content.replace(address, f"file://{mirror}/{PATH_OF_THE_ARCHIVE}"), encoding="utf-8")
    found = run(["sh", ".make/find-python"], cwd=str(clone), env={**environment, "TENSORFLOW": "1"})
    assert (found.returncode, found.stdout) == (1, "")
    assert "Hash mismatch" in found.stderr
