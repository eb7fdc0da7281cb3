"""The set-up: finding Python, the Makefile, the lock files, and a wheel in an empty environment."""
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import importlib_metadata
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import charrnn

ROOT = Path(__file__).resolve().parent.parent
LOCKS = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]
GOOD = "CPython 3.7.9, 64 bit, x86_64"

needs_sh = pytest.mark.skipif(os.name == "nt", reason="the Makefile is for POSIX systems")
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def _run(command, **options):
    return subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, **options)


# ---- .make/find-python ------------------------------------------------------------------------------------

class Machine:
    """A made-up machine: a home folder, and a folder ``bin`` that is the whole PATH."""

    def __init__(self, folder, machine="x86_64"):
        self.home = folder / "home with a space"
        self.bin = folder / "bin"
        self.home.mkdir()
        self.command("uname", "echo {}".format(machine))

    def command(self, name, script, folder=None):
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n{}\n".format(script), encoding="utf-8")
        path.chmod(0o755)
        return path

    def python(self, name, what, folder=None):
        """Put a Python there that says of itself what it is."""
        path = (folder or self.bin) / name
        return self.command(name, "echo '{}|{}'".format(what, path), folder)

    def find(self, **variables):
        return _run([ROOT / ".make" / "find-python"],
                    env=dict({"HOME": str(self.home), "PATH": str(self.bin)}, **variables))

    def finds(self, path, **variables):
        found = self.find(**variables)
        assert (found.returncode, found.stdout, found.stderr) == (0, "{}\n".format(path), "")

    def finds_nothing(self, **variables):
        """Check that it fails, and return the message."""
        found = self.find(**variables)
        assert (found.returncode, found.stdout) == (1, "")
        return found.stderr


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@needs_sh
class TestFindPython:
    def test_a_shim_that_does_not_run_is_skipped(self, machine):
        machine.command("python3.7", "echo 'pyenv: python3.7: command not found' >&2; exit 127")
        machine.finds(machine.python("python3", GOOD))

    def test_a_later_folder_of_the_path_is_looked_at(self, machine, tmp_path):
        machine.command("python3.7", "exit 127")
        later = machine.python("python3.7", GOOD, tmp_path / "later on")
        machine.finds(later, PATH="{}:{}".format(machine.bin, later.parent))

    @pytest.mark.parametrize("what", [
        "CPython 3.6.15, 64 bit, x86_64", "CPython 3.8.18, 64 bit, x86_64", "CPython 2.7.18, 64 bit, x86_64",
        "CPython 3.70.1, 64 bit, x86_64", "PyPy 3.7.13, 64 bit, x86_64", "CPython 3.7.9, 32 bit, x86_64",
        "CPython 3.7.9, 32 bit, i686", GOOD + ", without the modules venv and ensurepip", ""])
    def test_another_python_is_refused_silently_or_by_name(self, machine, what):
        path = machine.python("python3.7", what)
        assert "pyenv install 3.7.17" in machine.finds_nothing()
        message = machine.finds_nothing(PYTHON=str(path))
        assert str(path) in message and what in message

    def test_no_python_anywhere_names_the_three_ways(self, machine):
        message = machine.finds_nothing()
        for way in ["pyenv install 3.7.17", "conda create -n charrnn python=3.7", "uv python install 3.7"]:
            assert "  {}".format(way) in message
        assert "0.6.17" in message and "arm64" not in message

    @pytest.mark.parametrize("name", ["arm64", "aarch64"])
    def test_an_arm_machine_is_told_that_there_are_no_wheels(self, tmp_path, name):
        machine = Machine(tmp_path, name)
        machine.python("python3.7", "CPython 3.7.9, 64 bit, {}".format(name))
        message = machine.finds_nothing()
        assert "no arm64 wheels" in message and "pyenv" not in message

    def test_an_x86_python_on_an_arm_machine_will_do(self, tmp_path):
        machine = Machine(tmp_path, "arm64")
        machine.finds(machine.python("python3", GOOD))

    @pytest.mark.parametrize("place", [
        ".pyenv/versions/3.7.17/bin/python", "miniconda3/envs/charrnn/bin/python", "anaconda3/bin/python",
        ".conda/envs/old/bin/python", ".local/share/uv/python/cpython-3.7.9-linux-x86_64-gnu/bin/python3.7"])
    def test_places_under_home(self, machine, place):
        path = machine.home / place
        machine.finds(machine.python(path.name, GOOD, path.parent))

    @pytest.mark.parametrize("variable, value, place", [
        ("PYENV_ROOT", "", "versions/3.7.9/bin/python"), ("CONDA_PREFIX", "", "bin/python"),
        ("CONDA_EXE", "bin/conda", "envs/x/bin/python"),
        ("XDG_DATA_HOME", "", "uv/python/cpython-3.7/bin/python3.7"),
        ("UV_PYTHON_INSTALL_DIR", "", "cpython-3.7.9-macos-x86_64-none/bin/python3.7")])
    def test_places_that_variables_name(self, machine, tmp_path, variable, value, place):
        root = tmp_path / "some where"
        path = root / place
        machine.finds(machine.python(path.name, GOOD, path.parent), **{variable: str(root / value)})

    def test_pyenv_and_conda_are_asked(self, machine, tmp_path):
        environment = machine.home / ".conda" / "environments.txt"
        environment.parent.mkdir()
        environment.write_text("/nowhere\n{}\n".format(tmp_path / "c d"), encoding="utf-8")
        by_conda = machine.python("python", GOOD, tmp_path / "c d" / "bin")
        machine.finds(by_conda)
        machine.command("pyenv", "[ \"$*\" = 'prefix 3.7' ] && echo '{}'".format(tmp_path / "p q"))
        machine.finds(machine.python("python", GOOD, tmp_path / "p q" / "bin"))

    def test_the_override_comes_first_and_may_be_a_name(self, machine, tmp_path):
        machine.python("python3.7", GOOD)
        other = machine.python("snake", GOOD, tmp_path / "o p")
        machine.finds(other, PYTHON=str(other))
        machine.finds(other, PYTHON="snake", PATH="{}:{}".format(machine.bin, other.parent))

    @pytest.mark.parametrize("override", ["/nowhere/python", "nowhere", "/"])
    def test_a_wrong_override_is_not_passed_over(self, machine, override):
        machine.python("python3.7", GOOD)
        assert "{}, which is no Python that runs".format(override) in machine.finds_nothing(PYTHON=override)

    def test_from_within_an_environment_the_python_beneath_it_is_found(self, machine):
        found = machine.find(PYTHON=sys.executable)
        assert found.returncode == 0, found.stderr
        assert Path(found.stdout.strip()).samefile(sys.executable)
        assert not found.stdout.startswith(str(Path(sys.prefix)) + os.sep) or sys.prefix == sys.base_prefix


# ---- Makefile ---------------------------------------------------------------------------------------------

@pytest.fixture
def copy(tmp_path):
    """A folder with what the Makefile needs, in a path with a space, and the environment for make in it."""
    folder = tmp_path / "a copy"
    folder.mkdir()
    for name in ["Makefile", "setup.py", ".make", *[path.name for path in LOCKS]]:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(str(source), str(folder / name))
    return folder


def _make(folder, *arguments, **variables):
    ours = ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARGS", "TEXT", "PYTHON", "CHARRNN_DATA"]
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment.update(variables)
    done = _run(["make", "-C", folder, "--no-print-directory", *arguments], env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _pretend_environment(folder):
    """Stand in for a finished set-up, with a ``python`` that prints its arguments and CHARRNN_DATA."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("\n".join([
        "#!/bin/sh",
        "[ \"$1\" != -c ] || exit 0",
        "[ \"$2\" != charrnn.text.corpus ] || { echo python; exit; }",
        "printf '%s\\n' \"$@\" \"data=$CHARRNN_DATA\"", ""]), encoding="utf-8")
    python.chmod(0o755)
    (folder / ".venv" / ".done").write_text("{}\n".format(folder.resolve()), encoding="utf-8")


@needs_sh
@needs_make
class TestMakefile:
    def test_make_alone_lists_the_targets(self, copy):
        listing = _make(copy)
        for target in ["train", "sample", "notebook", "test", "lint", "venv", "clean"]:
            assert re.search(r"^  make {} +\w".format(target), listing, re.MULTILINE)

    def test_arguments_pass_through(self, copy):
        _pretend_environment(copy)
        sample = _make(copy, "sample", "ARGS=--prime 'Anna ' --chars \"2\"")
        assert sample == "-m\ncharrnn.sample\n--prime\nAnna \n--chars\n2\ndata=\n"
        train = _make(copy, "train", "ARGS=--epochs 1 --lstm-size 128", "TEXT=it's a \"text\".txt")
        assert train.splitlines()[1:-1] == [
            "charrnn.train", "it's a \"text\".txt", "--epochs", "1", "--lstm-size", "128"]
        assert _make(copy, "test", "ARGS=-k 'a or b'").splitlines()[:-1] == [
            "-m", "pytest", "-n", "2", "-k", "a or b"]

    def test_the_default_text_is_the_first_that_can_be_had(self, copy):
        _pretend_environment(copy)
        assert _make(copy, "train").splitlines()[1:3] == ["charrnn.train", "python"]
        assert "charrnn.text.corpus anna python" in _make(copy, "-n", "train")
        assert "charrnn.text.corpus" not in _make(copy, "-n", "train", "TEXT=tiny-shakespeare")

    def test_texts_beside_the_checkout_are_used_unless_told_otherwise(self, copy):
        _pretend_environment(copy)
        (copy.parent / "shared" / "data").mkdir(parents=True)
        assert _make(copy, "sample").endswith("\ndata={}/../shared/data\n".format(copy.resolve()))
        assert _make(copy, "sample", CHARRNN_DATA="/else/where").endswith("\ndata=/else/where\n")
        assert _make(copy, "sample", CHARRNN_DATA="").endswith("\ndata=\n")

    def test_a_finished_set_up_is_not_repeated_and_a_doubtful_one_is(self, copy):
        assert "-m venv" in _make(copy, "-n", "venv")
        _pretend_environment(copy)
        assert "-m venv" not in _make(copy, "-n", "venv")
        moved = copy.parent / "moved"
        copy.rename(moved)
        assert "-m venv" in _make(moved, "-n", "venv")
        moved.rename(copy)
        os.utime(str(copy / "requirements.txt"))
        os.utime(str(copy / ".venv" / ".done"), (0, 0))
        assert "-m venv" in _make(copy, "-n", "venv")
        os.utime(str(copy / ".venv" / ".done"))
        assert "-m venv" not in _make(copy, "-n", "venv")
        (copy / ".venv" / "bin" / "python").unlink()
        assert "-m venv" in _make(copy, "-n", "venv")

    def test_clean_leaves_texts_and_checkpoints(self, copy):
        keep = ["data/anna.txt", "data/__pycache__/x", "checkpoints/i1_l2.ckpt.index", "checkpoints/build/x"]
        drop = [".venv/x", "build/x", "dist/x", "charrnn.egg-info/x", ".pytest_cache/x", ".ruff_cache/x",
                "charrnn/__pycache__/x", "notebooks/.ipynb_checkpoints/x", ".hypothesis/x", "__pycache__/x"]
        for name in keep + drop:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).touch()
        _make(copy, "clean")
        assert [name for name in keep + drop if (copy / name).exists()] == keep
        _make(copy, "clean")


# ---- lock files and setup.py ------------------------------------------------------------------------------

def _pins(path):
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for line in lines:
        assert re.match(r"^[A-Za-z0-9._-]+==[A-Za-z0-9.]+$", line), line
    pins = [line.split("==") for line in lines]
    assert len({canonicalize_name(name) for name, _ in pins}) == len(pins)
    return {canonicalize_name(name): version for name, version in pins}


def test_locks_pin_each_package_once():
    runtime, development = map(_pins, LOCKS)
    assert not set(runtime) & set(development)
    assert runtime["tensorflow"] == "1.15.0"


def test_locks_satisfy_setup_py(tmp_path):
    _run([sys.executable, "setup.py", "-q", "egg_info", "--egg-base", tmp_path], cwd=str(ROOT), check=True)
    package = importlib_metadata.PathDistribution(tmp_path / "charrnn.egg-info")
    assert package.version == charrnn.__version__
    assert package.metadata["Requires-Python"] == ">=3.7"
    assert package.metadata.get_all("Provides-Extra") == ["notebook", "test"]
    assert sorted(entry.name for entry in package.entry_points) == [
        "charrnn-evaluate", "charrnn-export", "charrnn-sample", "charrnn-score", "charrnn-train"]
    runtime, development = map(_pins, LOCKS)
    requirements = [(requirement, extra) for requirement in map(Requirement, package.requires)
                    for extra in ["", "notebook", "test"]]
    checked = set()
    for requirement, extra in requirements:
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": extra, "python_version": "3.7"}):
            pins = development if "extra" in str(marker) else runtime
            assert pins[canonicalize_name(requirement.name)] in requirement.specifier
            checked.add(requirement.name)
    assert checked >= {"tensorflow", "numpy", "protobuf", "tqdm", "notebook", "pytest"}
    newer = [requirement.name for requirement, extra in requirements if not extra and (
        requirement.marker is None or requirement.marker.evaluate({"extra": "", "python_version": "3.8"}))]
    assert sorted(newer) == ["numpy", "tqdm"]  # what exported models need, where there is no TensorFlow 1.15


def test_this_environment_is_the_locked_one():
    if not (Path(sys.prefix) / ".done").exists():
        pytest.skip("this environment was not made by make")
    pins = dict(_pins(LOCKS[0]), **_pins(LOCKS[1]))
    installed = {canonicalize_name(item.metadata["Name"]): item.version
                 for item in importlib_metadata.distributions()}
    assert {key: installed.get(key) for key in pins} == pins


# ---- a wheel, for real ------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the checkout, so that nothing is left in the checkout itself."""
    source = tmp_path_factory.mktemp("source") / "charrnn"
    shutil.copytree(str(ROOT), str(source), ignore=shutil.ignore_patterns(
        ".git", ".venv", "build", "dist", "*.egg-info", "__pycache__"))
    folder = tmp_path_factory.mktemp("dist")
    done = _run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
                 "-w", folder, source])
    assert done.returncode == 0, done.stderr
    path, = folder.iterdir()
    return path


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    assert wheel.name == "charrnn-{}-py3-none-any.whl".format(charrnn.__version__)
    names = zipfile.ZipFile(str(wheel)).namelist()
    modules = {name for name in names if name.startswith("charrnn/")}
    assert modules == {path.relative_to(ROOT).as_posix() for path in (ROOT / "charrnn").rglob("*.py")}
    assert all(name in modules or ".dist-info/" in name for name in names)
    assert any(name.endswith("/LICENSE") for name in names)


GRAPH = """
import os, charrnn, tensorflow.compat.v1 as tf
assert "site-packages" in charrnn.__file__, charrnn.__file__
model = charrnn.CharRNN(5, batch_size=2, num_steps=3, lstm_size=4)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    print(session.run(model.loss, {model.inputs: [[0, 1, 2]] * 2, model.targets: [[1, 2, 3]] * 2,
                                   model.keep_prob: 1.0}).shape)
    tf.train.Saver().save(session, os.path.abspath("model.ckpt"))
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("constraints", [[], ["-c", LOCKS[0]]], ids=["bounds of setup.py", "locked"])
def test_the_wheel_installs_in_an_empty_environment(wheel, tmp_path, constraints):
    _run([sys.executable, "-m", "venv", tmp_path / "empty"], check=True)
    scripts = tmp_path / "empty" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    if _run([*pip, "install", "-q", "pip==24.0", "setuptools==68.0.0", "wheel==0.42.0"]).returncode:
        pytest.skip("pip reaches no package index")
    done = _run([*pip, "install", "-q", *constraints, wheel])
    assert done.returncode == 0, done.stderr
    done = _run([*pip, "check"])
    assert done.returncode == 0, done.stdout
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = _run([python, "-c", GRAPH], cwd=str(elsewhere))
    assert (done.returncode, done.stdout) == (0, "()\n"), done.stderr
    for command in ["charrnn-train", "charrnn-sample", "charrnn-evaluate", "charrnn-score", "charrnn-export"]:
        done = _run([scripts / command, "--help"], cwd=str(elsewhere))
        assert done.returncode == 0 and "usage: " + command in done.stdout, done.stderr
