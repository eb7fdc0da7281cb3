"""The scripts in .make: finding a Python 3.7, and downloading one."""
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
        """Create a newer Python whose pip installs a uv; that uv installs a good Python 3.7, unless it fails."""
        python = ".python/cpython-3.7.9-x/bin/python3.7"
        return self.command(name, f"""
case $2 in
    *"import pip"*) exit {0 if pip else 1} ;;
    *platform*) echo "CPython 3.13.1, 64 bit, x86_64 at $0"; exit ;;
esac
echo "{name} $*" >>'{self.log}'
mkdir -p .tools/bin
cat >.tools/bin/uv <<'END'
#!/bin/sh
echo "uv $* into $UV_PYTHON_INSTALL_DIR listed in $UV_PYTHON_DOWNLOADS_JSON_URL" >>'{self.log}'
[ {uv_status} = 0 ] || {{ echo "no such address" >&2; exit {uv_status}; }}
mkdir -p "${{PWD}}/{Path(python).parent}"
printf '%s\\n' '#!/bin/sh' 'echo "{GOOD} at $0"' >{python}
chmod +x {python}
END
chmod +x .tools/bin/uv""")

    def find(self, **variables):
        return run([self.checkout / ".make" / "find-python"],
                   env={"HOME": str(self.home), "PATH": str(self.bin), **variables})

    def finds(self, path, **variables):
        found = self.find(**variables)
        assert (found.returncode, found.stdout, found.stderr) == (0, f"{path}\n", "")

    def finds_nothing(self, **variables):
        """Check that no Python is found or downloaded, and return the message."""
        found = self.find(PYTHON_DOWNLOAD="no", **variables)
        assert (found.returncode, found.stdout) == (1, "")
        assert not self.log.exists()
        return found.stderr

    def calls(self):
        return self.log.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


class TestFinding:
    def test_a_shim_that_fails_is_skipped(self, machine):
        machine.command("python3.7", "echo 'pyenv: python3.7: command not found' >&2; exit 127")
        machine.finds(machine.python("python3", GOOD))

    def test_all_folders_of_the_path_are_searched(self, machine, tmp_path):
        machine.command("python3.7", "exit 127")
        later = machine.python("python3.7", GOOD, tmp_path / "later on")
        machine.finds(later, PATH=f"{machine.bin}:{later.parent}")

    @pytest.mark.parametrize("what", [
        "CPython 3.6.15, 64 bit, x86_64", "CPython 3.8.18, 64 bit, x86_64", "CPython 2.7.18, 64 bit, x86_64",
        "CPython 3.70.1, 64 bit, x86_64", "PyPy 3.7.13, 64 bit, x86_64", "CPython 3.7.9, 32 bit, x86_64",
        "CPython 3.7.9, 32 bit, i686", "CPython 3.7.9, 64 bit, arm64",
        f"{GOOD}, without the modules venv and ensurepip"])
    def test_any_other_python_is_refused_and_described(self, machine, what):
        path = machine.python("python3.7", what)
        assert "pyenv install 3.7.17" in machine.finds_nothing()
        message = machine.finds_nothing(PYTHON=str(path))
        assert str(path) in message and what in message

    def test_if_there_is_none_the_message_names_three_ways_to_get_one(self, machine):
        message = machine.finds_nothing()
        for way in ["pyenv install 3.7.17", "conda create -n charrnn python=3.7", "uv python install 3.7"]:
            assert f"  {way}" in message
        assert "0.6.17" in message and "arm64" not in message

    @pytest.mark.parametrize("system, way", [
        ("Darwin arm64", "CONDA_SUBDIR=osx-64"), ("Linux aarch64", "an x86-64 machine")])
    def test_on_an_arm_machine_the_message_names_other_ways(self, tmp_path, system, way):
        message = Machine(tmp_path, system).finds_nothing()
        assert way in message and "pyenv" not in message

    @pytest.mark.parametrize("place", [
        ".pyenv/versions/3.7.17/bin/python", ".local/share/uv/python/cpython-3.7.9-linux-x86_64-gnu/bin/python3.7"])
    def test_places_under_home(self, machine, place):
        path = machine.home / place
        machine.finds(machine.python(path.name, GOOD, path.parent))

    @pytest.mark.parametrize("variable, place", [
        ("PYENV_ROOT", "versions/3.7.9/bin/python"), ("XDG_DATA_HOME", "uv/python/cpython-3.7/bin/python3.7"),
        ("UV_PYTHON_INSTALL_DIR", "cpython-3.7.9-macos-x86_64-none/bin/python3.7")])
    def test_places_that_variables_name(self, machine, tmp_path, variable, place):
        path = tmp_path / "some where" / place
        machine.finds(machine.python(path.name, GOOD, path.parent), **{variable: str(tmp_path / "some where")})

    def test_the_environments_of_conda(self, machine, tmp_path):
        environments = machine.home / ".conda" / "environments.txt"
        environments.parent.mkdir()
        environments.write_text(f"/nowhere\n{tmp_path / 'c d'}\n", encoding="utf-8")
        machine.finds(machine.python("python", GOOD, tmp_path / "c d" / "bin"))

    def test_the_override_comes_first(self, machine, tmp_path):
        machine.python("python3.7", GOOD)
        other = machine.python("snake", GOOD, tmp_path / "o p")
        machine.finds(other, PYTHON=str(other))

    def test_the_override_may_be_a_name_on_the_path(self, machine, tmp_path):
        other = machine.python("snake", GOOD, tmp_path / "o p")
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
    def test_pip_installs_uv_and_uv_installs_python_into_the_checkout(self, machine):
        machine.python_with_pip()
        found = machine.find()
        assert found.returncode == 0, found.stderr
        assert found.stdout == f"{machine.checkout}/.python/cpython-3.7.9-x/bin/python3.7\n"
        assert machine.calls() == [
            "python3 -m pip install -q --no-deps --only-binary=:all: --target .tools uv==0.6.17",
            f"uv python install --no-config cpython-3.7-linux-x86_64-gnu into {machine.checkout}/.python "
            f"listed in {machine.checkout}/.make/downloads.json"]

    def test_one_line_tells_what_is_downloaded_how_large_and_where(self, machine):
        machine.python_with_pip()
        assert machine.find().stderr == (
            "No CPython 3.7 was found: downloading uv 0.6.17 (17 MB) to .tools and CPython 3.7.9 (28 MB) to .python\n")

    def test_a_python_from_a_mirror_is_not_checked_and_the_line_tells_so(self, machine):
        machine.python_with_pip()
        assert "from UV_PYTHON_INSTALL_MIRROR, unchecked," in machine.find(UV_PYTHON_INSTALL_MIRROR="file:///x").stderr
        assert machine.calls()[1].endswith("listed in ")

    @pytest.mark.parametrize("system", ["Darwin x86_64", "Darwin arm64"])
    def test_a_mac_gets_the_x86_python(self, tmp_path, system):
        machine = Machine(tmp_path, system)
        machine.python_with_pip()
        assert machine.find().returncode == 0
        assert "install --no-config cpython-3.7-macos-x86_64-none into" in machine.calls()[1]

    def test_a_downloaded_python_is_found_without_another_download(self, machine):
        machine.python_with_pip()
        path = machine.find().stdout.strip()
        machine.log.unlink()
        machine.finds(path)
        assert not machine.log.exists()

    def test_it_is_not_downloaded_if_it_must_not_be(self, machine):
        machine.python_with_pip()
        machine.finds_nothing()
        assert not (machine.checkout / ".tools").exists()

    def test_it_is_not_downloaded_in_place_of_a_wrong_override(self, machine):
        machine.python_with_pip()
        assert machine.find(PYTHON="/nowhere/python").returncode == 1
        assert not machine.log.exists()

    def test_it_is_not_downloaded_where_it_would_not_run(self, tmp_path):
        machine = Machine(tmp_path, "Linux aarch64")
        machine.python_with_pip()
        assert "an x86-64 machine" in machine.find().stderr
        assert not machine.log.exists()

    def test_a_python_without_pip_is_passed_over(self, machine):
        machine.python_with_pip("python3", pip=False)
        machine.python_with_pip("python")
        assert machine.find().returncode == 0
        assert machine.calls()[0].startswith("python -m pip install")

    def test_uv_can_be_installed_by_uv(self, machine):
        machine.python_with_pip("uv")
        assert machine.find().returncode == 0
        assert machine.calls()[0] == "uv pip install -q --no-python-downloads --target .tools uv==0.6.17"

    def test_without_pip_and_uv_the_message_names_what_is_missing(self, machine):
        machine.python_with_pip(pip=False)
        found = machine.find()
        assert found.returncode == 1
        assert "Python 3.8 or later with pip" in found.stderr and "pyenv install 3.7.17" in found.stderr

    def test_a_failed_download_ends_with_the_other_ways(self, machine):
        machine.python_with_pip(uv_status=2)
        found = machine.find()
        assert (found.returncode, found.stdout) == (1, "")
        assert "no such address" in found.stderr and "pyenv install 3.7.17" in found.stderr

    def test_every_download_has_a_hash(self):
        downloads = json.loads((ROOT / ".make" / "downloads.json").read_text(encoding="utf-8"))
        assert sorted(downloads) == ["cpython-3.7.9-darwin-x86_64-none", "cpython-3.7.9-linux-x86_64-gnu"]
        for download in downloads.values():
            assert re.match(r"^[0-9a-f]{64}$", download["sha256"])


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
    for name in [".make", "charrnn", "Makefile", "README.md", "requirements.txt", "requirements-dev.txt", "setup.py"]:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(str(ROOT / name), str(clone / name))
    return clone, environment


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_without_a_python_37_make_train_downloads_one_and_trains(fresh_machine, mirror):
    clone, environment = fresh_machine
    (clone / "small.txt").write_text("the cat sat on the mat\n" * 40, encoding="utf-8")
    flags = "--batch-size 2 --num-steps 5 --lstm-size 4 --epochs 1 --sample-length 0 --print-every-n 1"
    train = run(["make", "train", "TEXT=small.txt", f"ARGS={flags}", f"UV_PYTHON_INSTALL_MIRROR=file://{mirror}"],
                cwd=str(clone), env=environment)
    assert train.returncode == 0, train.stderr
    assert " at " + str(clone.resolve() / ".python" / "cpython-3.7.9-linux-x86_64-gnu") in train.stdout
    assert re.search(r"step 1/\d+ +loss \d", train.stdout), train.stdout
    tensorflow = run([clone / ".venv" / "bin" / "python", "-c", "import tensorflow; print(tensorflow.__version__)"],
                     env=environment)
    assert tensorflow.stdout == "1.15.0\n"
    assert run(["make", "clean"], cwd=str(clone), env=environment).returncode == 0
    assert (clone / ".python").exists() and not (clone / ".venv").exists() and not (clone / ".tools").exists()
    assert not list(clone.parent.glob("home/.local"))


@pytest.mark.slow
def test_a_download_with_another_hash_is_refused(fresh_machine, mirror):
    clone, environment = fresh_machine
    downloads = clone / ".make" / "downloads.json"
    content = downloads.read_text(encoding="utf-8")
    address = "https://github.com/astral-sh/python-build-standalone/releases/download/" + PATH_OF_THE_ARCHIVE
    assert address in content
    downloads.write_text(content.replace(address, f"file://{mirror}/{PATH_OF_THE_ARCHIVE}"), encoding="utf-8")
    found = run(["sh", ".make/find-python"], cwd=str(clone), env=environment)
    assert (found.returncode, found.stdout) == (1, "")
    assert "Hash mismatch" in found.stderr
