"""The set-up: the Makefile, the lock files, the files for conda and Docker, and a wheel in an empty environment."""
import json
import os
import re
import shutil
import signal
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
SCRIPTS = ["evaluate", "export", "inspect", "sample", "train"]
LOCKS = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]

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
    for name in ["Makefile", "setup.py", ".make", *[path.name for path in LOCKS]]:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(str(source), str(folder / name))
    return folder


def _environment(**variables):
    """Return the environment of a process, without the variables of the make that runs these tests."""
    ours = ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARGS", "TEXT", "PYTHON", "PYTHON_DOWNLOAD", "CHARRNN_DATA"]
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


def _pretend_environment(folder, command="printf '%s\\n' \"$@\" \"data=$CHARRNN_DATA\""):
    """Make a finished set-up whose ``python`` runs a command; by default it prints its arguments and CHARRNN_DATA."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("\n".join([
        "#!/bin/sh",
        "[ \"$1\" != -c ] || exit 0",
        "[ \"$2\" != charrnn.text.corpus ] || { echo python; exit; }",
        command, ""]), encoding="utf-8")
    python.chmod(0o755)
    (folder / ".venv" / ".done").write_text(f"{folder.resolve()}\n", encoding="utf-8")


@needs_sh
@needs_make
class TestMakefile:
    def test_make_alone_lists_the_targets(self, copy):
        listing = _make(copy)
        for target in ["train", "sample", "notebook", "test", "lint", "venv", "clean"]:
            assert re.search(rf"^  make {target} +\w", listing, re.MULTILINE)

    def test_arguments_reach_sample(self, copy):
        _pretend_environment(copy)
        sample = _make(copy, "sample", "ARGS=--prime 'Anna ' --chars \"2\"")
        assert sample == "-m\ncharrnn.sample\n--prime\nAnna \n--chars\n2\ndata=\n"

    def test_arguments_and_the_text_reach_train(self, copy):
        _pretend_environment(copy)
        train = _make(copy, "train", "ARGS=--epochs 1 --lstm-size 128", "TEXT=it's a, \"text\".txt")
        assert train.splitlines()[1:-1] == [
            "charrnn.train", "it's a, \"text\".txt", "--epochs", "1", "--lstm-size", "128"]

    def test_arguments_reach_the_tests(self, copy):
        _pretend_environment(copy)
        assert _make(copy, "test", "ARGS=-k 'a or b'").splitlines()[:-1] == [
            "-m", "pytest", "-n", "2", "--dist", "worksteal", "-k", "a or b"]

    @pytest.mark.parametrize("npm, status, said", [
        (None, 0, "npm is missing: the JavaScript is not checked"),
        ("exit 1", 0, "Biome could not be fetched: the JavaScript is not checked"),
        ('mkdir -p .tools/node_modules/.bin && cp "$0.biome" .tools/node_modules/.bin/biome', 7, "biome lint")],
        ids=["no npm", "no network", "installed"])
    def test_lint_checks_the_javascript_where_it_can(self, copy, tmp_path, npm, status, said):
        _pretend_environment(copy, "exit 0")
        programs = tmp_path / "programs"
        programs.mkdir()
        for name in ("make", "sh", "cat", "mkdir", "cp"):
            (programs / name).symlink_to(shutil.which(name))
        for name, content in [("npm", npm), ("npm.biome", 'echo "biome $1"\nexit 7')]:
            if content is not None:
                (programs / name).write_text(f"#!/bin/sh\n{content}\n", encoding="utf-8")
                (programs / name).chmod(0o755)
        done = _run(["make", "-C", copy, "--no-print-directory", "lint"], env=_environment(PATH=str(programs)))
        assert said in done.stdout.splitlines() and bool(done.returncode) == bool(status), done.stderr

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

    def test_the_default_text_is_the_first_that_is_available(self, copy):
        _pretend_environment(copy)
        assert _make(copy, "train").splitlines()[1:3] == ["charrnn.train", "python"]
        assert "charrnn.text.corpus anna python" in _make(copy, "-n", "train")
        assert "charrnn.text.corpus" not in _make(copy, "-n", "train", "TEXT=tiny-shakespeare")

    def test_texts_next_to_the_checkout_are_used_by_default(self, copy):
        _pretend_environment(copy)
        (copy.parent / "shared" / "data").mkdir(parents=True)
        assert _make(copy, "sample").endswith(f"\ndata={copy.resolve()}/../shared/data\n")
        assert _make(copy, "sample", CHARRNN_DATA="/else/where").endswith("\ndata=/else/where\n")
        assert _make(copy, "sample", CHARRNN_DATA="").endswith("\ndata=\n")

    def test_a_finished_set_up_is_not_repeated(self, copy):
        assert "-m venv" in _make(copy, "-n", "venv")
        _pretend_environment(copy)
        assert "-m venv" not in _make(copy, "-n", "venv")

    def test_a_moved_set_up_is_repeated(self, copy):
        _pretend_environment(copy)
        moved = copy.parent / "moved"
        copy.rename(moved)
        assert "-m venv" in _make(moved, "-n", "venv")

    def test_an_outdated_set_up_is_repeated(self, copy):
        _pretend_environment(copy)
        os.utime(str(copy / ".venv" / ".done"), (0, 0))
        assert "-m venv" in _make(copy, "-n", "venv")

    def test_a_set_up_without_its_python_is_repeated(self, copy):
        _pretend_environment(copy)
        (copy / ".venv" / "bin" / "python").unlink()
        assert "-m venv" in _make(copy, "-n", "venv")

    def test_clean_leaves_texts_checkpoints_and_the_downloaded_python(self, copy):
        keep = [".python/x", "data/anna.txt", "data/__pycache__/x", "checkpoints/i1_l2.ckpt.index",
                "checkpoints/build/x"]
        drop = [".venv/x", ".tools/x", "build/x", "dist/x", "charrnn.egg-info/x", ".pytest_cache/x", ".ruff_cache/x",
                "charrnn/__pycache__/x", "notebooks/.ipynb_checkpoints/x", ".hypothesis/x", "__pycache__/x"]
        for name in keep + drop:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).touch()
        _make(copy, "clean")
        assert [name for name in keep + drop if (copy / name).exists()] == keep


# ---- .ci/run ----------------------------------------------------------------------------------------------

@needs_sh
@pytest.mark.parametrize("installed, failing, calls", [
    (["chromium", "chromedriver"], [], []),
    ([], [], ["apt-get update -qq", "apt-get install -qq -y --no-install-recommends chromium chromium-driver"]),
    (["chromium"], ["apt-get"], ["apt-get update -qq"])],
    ids=["Chromium is there", "it is installed", "it cannot be installed"])
def test_ci_runs_the_tests_and_the_linter_whether_or_not_there_is_chromium(tmp_path, installed, failing, calls):
    log = tmp_path / "log"
    for name in ["make", "apt-get", "id", *installed]:
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!/bin/sh\necho {0 if name == 'id' else ''}\n[ $0 = $1 ] || echo ${{0##*/}} $* >>'{log}'\n"
                           f"exit {int(name in failing)}\n", encoding="utf-8")
        command.chmod(0o755)
    for name in ["bash", "sh", "dirname"]:
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    done = _run([ROOT / ".ci" / "run", "-k", "x"], env={"PATH": str(tmp_path / "bin")})
    assert done.returncode == 0, done.stderr
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if not line.startswith("id")]
    assert lines == [*calls, "make venv-distributed", "make test ARGS=-m '' -k x", "make lint"]
    assert ("could not be installed" in done.stdout) == bool(failing)


@pytest.mark.slow
def test_all_tests_are_found_without_horovod_and_under_the_same_names_each_time():
    """pytest-xdist compares the names that its processes find."""
    find = "import sys; sys.modules['horovod'] = None; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    command = [sys.executable, "-c", find, "-m", "", "--collect-only", "-q", "-p", "no:cacheprovider"]
    first, second = (_run(command, cwd=ROOT, env=dict(os.environ, PYTHONHASHSEED=seed)) for seed in "12")
    assert first.returncode == second.returncode == 0, first.stdout[-2000:]
    names, again = ([line for line in run.stdout.splitlines() if "::" in line] for run in (first, second))
    assert len(names) > 2000 and names == again


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
    assert package.metadata.get_all("Provides-Extra") == ["distributed", "notebook", "test"]
    assert sorted(entry.name for entry in package.entry_points) == [
        f"charrnn-{name}" for name in SCRIPTS]
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
    """A wheel built in a copy of the checkout, so that the checkout does not change."""
    source = tmp_path_factory.mktemp("source") / "charrnn"
    shutil.copytree(str(ROOT / "charrnn"), str(source / "charrnn"), ignore=shutil.ignore_patterns("__pycache__"))
    for name in ["setup.py", "README.md", "LICENSE"]:
        shutil.copy(str(ROOT / name), str(source))
    folder = tmp_path_factory.mktemp("dist")
    done = _run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
                 "-w", folder, source])
    assert done.returncode == 0, done.stderr
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
@pytest.mark.timeout(1800)
def test_the_wheel_installs_in_an_empty_environment(wheel, tmp_path):
    _run([sys.executable, "-m", "venv", tmp_path / "empty"], check=True)
    scripts = tmp_path / "empty" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    if _run([*pip, "install", "-q", "pip==24.0", "setuptools==68.0.0", "wheel==0.42.0"]).returncode:
        pytest.skip("pip reaches no package index")
    done = _run([*pip, "install", "-q", wheel])
    assert done.returncode == 0, done.stderr
    done = _run([*pip, "check"])
    assert done.returncode == 0, done.stdout
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = _run([python, "-c", GRAPH], cwd=str(elsewhere))
    assert (done.returncode, done.stdout) == (0, "()\n"), done.stderr
    for name in SCRIPTS:
        done = _run([scripts / f"charrnn-{name}", "--help"], cwd=str(elsewhere))
        assert done.returncode == 0 and f"usage: charrnn-{name}" in done.stdout, done.stderr


# ---- Docker and conda -------------------------------------------------------------------------------------

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


def test_conda_installs_python_37_and_the_locked_packages():
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    packages = [line.split("- ")[1] for line in lines if line.strip().startswith("- ")]
    assert packages == ["conda-forge", "nodefaults", "python=3.7", "pip=24.0", "pip:",
                        *[f"-r {path.name}" for path in LOCKS], "-e ."]
