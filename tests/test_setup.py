"""The set-up: the Makefile, the lock files, the Dockerfile, and packages in an empty environment."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import charrnn

if sys.version_info < (3, 8):
    import importlib_metadata
else:
    from importlib import metadata as importlib_metadata

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ["evaluate", "export", "inspect", "sample", "train"]
# what the names of the two lock files of a TensorFlow have at their ends, and the Pythons on which they are installed
LOCKS = {"": ["3.7"], "-tf2": ["3.10", "3.11", "3.12", "3.13"], "-tf2.15": ["3.10", "3.11"]}

needs_sh = pytest.mark.skipif(os.name == "nt", reason="the Makefile is for POSIX systems")
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def _run(command, **options):
    return subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, **options)


# ---- Makefile ---------------------------------------------------------------------------------------------

@pytest.fixture
def copy(tmp_path):
    """A folder with what the Makefile needs, in a path with a space."""
    folder = tmp_path / "a copy"
    folder.mkdir()
    for name in ["Makefile", "setup.py", ".make", *[path.name for path in ROOT.glob("requirements*.txt")]]:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(str(source), str(folder / name))
    return folder


def _environment(**variables):
    """Return the environment of a process, without the variables of the make that runs these tests."""
    ours = ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARGS", "TEXT", "PYTHON", "PYTHON_DOWNLOAD", "CHARRNN_DATA",
            "TENSORFLOW"]
    return {**{name: value for name, value in os.environ.items() if name not in ours}, **variables}


def _make(folder, *arguments, **variables):
    done = _run(["make", "-C", folder, "--no-print-directory", *arguments], env=_environment(**variables))
    assert done.returncode == 0, done.stderr
    return done.stdout


def _interrupt(command):
    """Run a command in a terminal, press Ctrl-C when it prints "ready", and return its output and wait status."""
    import pty
    process, terminal = pty.fork()
    if not process:
        os.execvpe(command[0], command, _environment())
    output = b""
    while True:
        try:
            part = os.read(terminal, 1024)
        except OSError:  # the end, on Linux
            part = b""
        output += part
        if b"ready" in part:
            os.write(terminal, b"\x03")
        if not part:
            os.close(terminal)
            return output.decode(), os.waitpid(process, 0)[1]


def _pretend_environment(folder, command="printf '%s\\n' \"$@\" \"data=$CHARRNN_DATA\"", name=".venv", version=(3, 7)):
    """Make a finished set-up whose ``python`` runs a command; by default it prints its arguments and CHARRNN_DATA.

    It runs code as if it were this version of Python.
    """
    python = folder / name / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("\n".join([
        "#!/bin/sh",
        f"[ \"$1\" != -c ] || exec '{sys.executable}' -c \"import sys; sys.version_info = {version}; $2\"",
        command, ""]), encoding="utf-8")
    python.chmod(0o755)
    (folder / name / ".done").write_text(f"{folder.resolve()}\n", encoding="utf-8")


@needs_sh
@needs_make
class TestMakefile:
    def test_make_alone_lists_the_targets(self, copy):
        listing = _make(copy)
        for target in ["train", "sample", "notebook", "test", "lint", "venv", "clean"]:
            assert re.search(rf"^  make {target} +\w", listing, re.MULTILINE)

    @pytest.mark.parametrize("target, variables, arguments", [
        ("sample", ["ARGS=--prime 'Anna ' --chars \"2\""], ["charrnn.sample", "--prime", "Anna ", "--chars", "2"]),
        ("train", ["ARGS=--epochs 1", "TEXT=it's a, \"text\".txt"],
         ["charrnn.train", "it's a, \"text\".txt", "--epochs", "1"]),
        ("test", ["ARGS=-k 'a or b'"], ["pytest", "-n", "2", "--dist", "worksteal", "-k", "a or b"])])
    def test_arguments_and_the_text_reach_the_command(self, copy, target, variables, arguments):
        _pretend_environment(copy)
        assert _make(copy, target, *variables).splitlines() == ["-m", *arguments, "data="]

    @pytest.mark.parametrize("target", ["train", "sample"])
    def test_a_failure_is_a_failure_of_make(self, copy, target):
        _pretend_environment(copy, "exit 2")
        done = _run(["make", "-C", copy, target, "TEXT=x"], env=_environment())
        assert done.returncode == 2 and "***" in done.stderr

    @pytest.mark.parametrize("target", ["train", "sample"])
    def test_after_ctrl_c_make_prints_no_error(self, copy, target):
        _pretend_environment(copy, "trap 'echo saved; exit 130' INT; echo ready; while :; do sleep 0.1; done")
        output, status = _interrupt(["make", "-C", str(copy), "--no-print-directory", target, "TEXT=x"])
        assert output.replace("^C", "").split() == ["ready", "saved"]
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT  # of make itself, for the shell

    def test_texts_next_to_the_checkout_are_used_by_default(self, copy):
        _pretend_environment(copy)
        (copy.parent / "shared" / "data").mkdir(parents=True)
        assert _make(copy, "sample").endswith(f"\ndata={copy.resolve()}/../shared/data\n")
        assert _make(copy, "sample", CHARRNN_DATA="/else/where").endswith("\ndata=/else/where\n")
        assert _make(copy, "sample", CHARRNN_DATA="").endswith("\ndata=\n")

    @pytest.mark.parametrize("spoil", [
        lambda copy: os.utime(str(copy / ".venv" / ".done"), (0, 0)),
        lambda copy: (copy / ".venv" / "bin" / "python").unlink(),
        lambda copy: copy.rename(copy.parent / "moved")], ids=["outdated", "without its Python", "moved"])
    def test_a_finished_set_up_is_repeated_only_if_it_must_be(self, copy, spoil):
        assert "-m venv" in _make(copy, "-n", "venv")
        _pretend_environment(copy)
        assert "-m venv" not in _make(copy, "-n", "venv")
        spoil(copy)
        assert "-m venv" in _make(next(copy.parent.glob("*/Makefile")).parent, "-n", "venv")

    @pytest.mark.parametrize("variable, name", [
        ("", ".venv"), ("1", ".venv"), ("2", ".venv-tf2"), ("2.15", ".venv-tf2.15")])
    def test_each_tensorflow_has_an_environment_of_its_own(self, copy, variable, name):
        for each in [".venv", ".venv-tf2", ".venv-tf2.15"]:
            _pretend_environment(copy, f"echo {each}", name=each)
        assert _make(copy, "sample", f"TENSORFLOW={variable}") == f"{name}\n"
        assert _make(copy, "sample", TENSORFLOW=variable) == f"{name}\n"

    def test_an_environment_of_tensorflow_2_does_not_do_where_1_is_wanted(self, copy):
        _pretend_environment(copy, version=(3, 12))
        assert "-m venv" not in _make(copy, "-n", "venv")
        assert "-m venv" in _make(copy, "-n", "venv", "TENSORFLOW=1")

    def test_horovod_gets_the_tensorflow_with_which_it_can_be_built(self, copy):
        _pretend_environment(copy, name=".venv-tf2.15")
        assert ".venv-tf2.15/bin/python -m pip install" in _make(copy, "-n", "train-distributed", "TENSORFLOW=2")
        _pretend_environment(copy, "echo should not run >&2", version=(3, 12))
        done = _run(["make", "-C", copy, "venv-distributed"], env=_environment())
        assert done.returncode == 2
        assert done.stderr.splitlines()[0] == ("Horovod cannot be built with the TensorFlow of .venv, only with 1.15 "
                                               "and 2.15: make TENSORFLOW=2 venv-distributed")

    def test_clean_leaves_texts_checkpoints_and_the_downloaded_python(self, copy):
        keep = [".python/x", "data/anna.txt", "data/__pycache__/x", "checkpoints/i1_l2.ckpt.index",
                "checkpoints/build/x"]
        drop = [".venv/x", ".venv-tf2/x", ".venv-tf2.15/x", ".tools/x", "build/x", "dist/x", "charrnn.egg-info/x",
                ".pytest_cache/x", ".ruff_cache/x", "charrnn/__pycache__/x", "notebooks/.ipynb_checkpoints/x",
                ".hypothesis/x", "__pycache__/x"]
        for name in keep + drop:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).touch()
        _make(copy, "clean")
        assert [name for name in keep + drop if (copy / name).exists()] == keep


# ---- lock files and setup.py ------------------------------------------------------------------------------

def _pins(suffix, dev=""):
    """Return the versions that a lock file pins."""
    lines = (ROOT / f"requirements{suffix}{dev}.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split(";")[0].split("==") for line in lines if not line.startswith("#")]
    assert all(re.match(r"^[A-Za-z0-9.]+$", version) for _, version in pins)
    assert len({canonicalize_name(name) for name, _ in pins}) == len(pins)
    return {canonicalize_name(name): version for name, version in pins}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The metadata that setup.py declares."""
    folder = tmp_path_factory.mktemp("metadata")
    _run([sys.executable, "setup.py", "-q", "egg_info", "--egg-base", folder], cwd=str(ROOT), check=True)
    return importlib_metadata.PathDistribution(folder / "charrnn.egg-info")


def _requirements(package, version, *extras):
    """Return what the package requires on a version of Python."""
    environments = [{"extra": extra, "python_version": version} for extra in ["", *extras]]
    return [requirement for requirement in map(Requirement, package.requires)
            if requirement.marker is None or any(map(requirement.marker.evaluate, environments))]


@pytest.mark.parametrize("suffix", LOCKS)
def test_locks_satisfy_setup_py(package, suffix):
    runtime, development, horovod = _pins(suffix), _pins(suffix, "-dev"), _pins("-distributed")
    assert not set(runtime) & set(development)
    extras = ["tensorflow"] if suffix == "-tf2" else ["tensorflow", "distributed"]
    for version in LOCKS[suffix]:
        for names, pins in [(extras, {**horovod, **runtime}), ([*extras, "notebook", "test"],
                                                              {**horovod, **runtime, **development})]:
            for requirement in _requirements(package, version, *names):
                assert pins[canonicalize_name(requirement.name)] in requirement.specifier, requirement


@pytest.mark.parametrize("version, tensorflow, others", [
    ("3.7", "==1.15", {"protobuf"}), ("3.9", None, set()), ("3.14", None, set()),
    *[(version, "<2.22,>=2.15", {"tf-keras", "tensorboard"}) for version in LOCKS["-tf2"]]])
def test_the_extras_are_those_that_a_python_can_have(package, version, tensorflow, others):
    requirements = {canonicalize_name(each.name): each.specifier
                    for each in _requirements(package, version, "tensorflow")}
    assert set(requirements) == {"numpy", "tqdm", *others, *(["tensorflow"] if tensorflow else [])}
    assert str(requirements.get("tensorflow")) == str(tensorflow)
    without = {each.name for each in _requirements(package, version)}
    assert ("tensorflow" in without) == (version == "3.7")
    with_horovod = {each.name for each in _requirements(package, version, "distributed")}
    assert ("horovod" in with_horovod) == (version in LOCKS[""] + LOCKS["-tf2.15"])


def test_setup_py_names_the_scripts_and_the_version(package):
    assert package.version == charrnn.__version__
    assert sorted(entry.name for entry in package.entry_points) == [f"charrnn-{name}" for name in SCRIPTS]


def test_this_environment_is_the_locked_one():
    if not (Path(sys.prefix) / ".done").exists():
        pytest.skip("this environment was not made by make")
    suffix = "" if sys.version_info < (3, 8) else Path(sys.prefix).name.replace(".venv", "") or "-tf2"
    pins = {**_pins(suffix), **_pins(suffix, "-dev")}
    installed = {canonicalize_name(item.metadata["Name"]): item.version
                 for item in importlib_metadata.distributions()}
    assert {key: installed.get(key) for key in pins} == pins


# ---- packages, for real ----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the checkout in which to build, so that the checkout does not change."""
    source = tmp_path_factory.mktemp("source") / "charrnn"
    shutil.copytree(str(ROOT / "charrnn"), str(source / "charrnn"), ignore=shutil.ignore_patterns("__pycache__"))
    for name in ["setup.py", "README.md", "LICENSE"]:
        shutil.copy(str(ROOT / name), str(source))
    return source


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    done = _run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, source])
    assert done.returncode == 0, done.stderr
    path, = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def sdist(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    _run([sys.executable, "setup.py", "-q", "sdist", "-d", folder], cwd=str(source), check=True)
    path, = folder.iterdir()
    return path


def test_the_wheel_contains_the_package_and_nothing_else(wheel):
    assert wheel.name == f"charrnn-{charrnn.__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(str(wheel)).namelist()
    package = {name for name in names if name.startswith("charrnn/")}
    assert package == {path.relative_to(ROOT).as_posix() for path in (ROOT / "charrnn").rglob("*")
                       if path.suffix in [".py", ".html", ".css", ".js"]}
    assert all(name in package or ".dist-info/" in name for name in names)
    assert any(name.endswith("/LICENSE") for name in names)


GRAPH = """
import os, charrnn
from charrnn.system.tensorflow import tf
assert "site-packages" in charrnn.__file__, charrnn.__file__
model = charrnn.CharRNN(5, batch_size=2, num_steps=3, lstm_size=4)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    print(session.run(model.loss, {model.inputs: [[0, 1, 2]] * 2, model.targets: [[1, 2, 3]] * 2,
                                   model.keep_prob: 1.0}).shape)
    tf.train.Saver().save(session, os.path.abspath("model.ckpt"))
"""


@needs_sh
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("built, tensorflow", [("wheel", "1"), ("wheel", "2"), ("sdist", "2")])
def test_the_package_installs_in_an_empty_environment(request, built, tensorflow, tmp_path):
    found = _run(["sh", ROOT / ".make" / "find-python"],
                 env=_environment(TENSORFLOW=tensorflow, PYTHON_DOWNLOAD="no"))
    if found.returncode:
        pytest.skip("no Python for this TensorFlow was found")
    _run([found.stdout.strip(), "-m", "venv", tmp_path / "empty"], check=True)
    scripts = tmp_path / "empty" / "bin"
    pip = [scripts / "python", "-m", "pip", "--disable-pip-version-check"]
    if _run([*pip, "install", "-q", "setuptools<80", "wheel"], cwd=str(tmp_path)).returncode:
        pytest.skip("pip reaches no package index")
    done = _run([*pip, "install", "-q", f"{request.getfixturevalue(built)}[tensorflow]"], cwd=str(tmp_path))
    assert done.returncode == 0, done.stderr
    done = _run([*pip, "check"], cwd=str(tmp_path))
    assert done.returncode == 0, done.stdout
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = _run([scripts / "python", "-c", GRAPH], cwd=str(elsewhere))
    assert (done.returncode, done.stdout) == (0, "()\n"), done.stderr
    for name in SCRIPTS:
        done = _run([scripts / f"charrnn-{name}", "--help"], cwd=str(elsewhere))
        assert done.returncode == 0 and f"usage: charrnn-{name}" in done.stdout, done.stderr


# ---- Docker ---------------------------------------------------------------------------------------------

def _instructions():
    """Return the Dockerfile's instructions, each split into its name and the rest."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if line and not line.startswith("#")]


def test_docker_may_read_what_the_dockerfile_copies():
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sources = {source for name, rest in _instructions() if name == "COPY" for source in rest.split()[:-1]}
    assert "*" in ignore
    assert sources == {line[1:].split("/")[0] for line in ignore if line.startswith("!")}


@needs_sh
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_commands_of_the_dockerfile_work_in_an_empty_environment(tmp_path):
    _run([sys.executable, "-m", "venv", tmp_path / "empty"], check=True)
    environment = _environment(PATH=f"{tmp_path / 'empty' / 'bin'}:{os.environ['PATH']}")
    if _run([tmp_path / "empty" / "bin" / "pip", "download", "-q", "--no-deps", "-d", tmp_path, "six"]).returncode:
        pytest.skip("pip reaches no package index")
    folder, entry = tmp_path, []
    for name, rest in _instructions():
        if name == "WORKDIR":
            folder = tmp_path / rest.lstrip("/")
            folder.mkdir()
        elif name == "COPY":
            *sources, target = rest.split()
            for source in sources:
                (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(str(ROOT / source), str(folder / target))
        elif name == "RUN":
            done = _run(["sh", "-c", rest], cwd=str(folder), env=environment)
            assert done.returncode == 0, done.stderr
        elif name in ("ENTRYPOINT", "CMD"):
            entry.append(json.loads(rest))
    entry_point, default = entry
    for command in [default, *([name, "--help"] for name in SCRIPTS)]:
        done = _run([*entry_point, *command], cwd=str(folder), env=environment)
        assert done.returncode == 0 and f"usage: charrnn-{command[0]}" in done.stdout, done.stderr
    done = _run(["python", "-c", GRAPH], cwd=str(folder), env=environment)
    assert (done.returncode, done.stdout) == (0, "()\n"), done.stderr
