"""The set-up: the Makefile, the lock files, and what ``python -m build`` makes, installed."""
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, SCRIPTS
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import charrnn

if sys.version_info < (3, 8):
    import importlib_metadata
else:
    from importlib import metadata as importlib_metadata

# what the names of the two lock files of a TensorFlow have at their ends, and the Pythons on which they are installed
LOCKS = {"": ["3.7"], "-tf2": ["3.10", "3.11", "3.12", "3.13"], "-tf2.15": ["3.10", "3.11"]}

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
needs_git = pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="no repository")


def environment(**more):
    """Return the environment without the variables of the make that runs these tests, and with some more."""
    ours = ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARGS", "TEXT", "PYTHON", "CHARRNN_DATA", "TENSORFLOW"]
    return {**{name: value for name, value in os.environ.items() if name not in ours}, **more, "PYTHON_DOWNLOAD": "no"}


def run(command, status=0, **options):
    """Run a command in this environment; return its output and errors."""
    options["env"] = environment(**options.get("env", {}))
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          **options)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


def copy_of(folder, *names):
    """Copy files and folders of the checkout, and what is needed to install it, into a new folder; return it."""
    folder.mkdir()
    for name in [*names, "pyproject.toml", "setup.py", *[path.name for path in ROOT.glob("requirements*.txt")]]:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(str(ROOT / name), str(folder / name))
    return folder


# The Makefile


@pytest.fixture
def copy(tmp_path):
    """A folder with what the Makefile needs, in a path with a space."""
    return copy_of(tmp_path / "a copy", "Makefile", ".make")


def make(folder, *arguments, **options):
    return run(["make", "-C", folder, "--no-print-directory", *arguments], **options)[0]


def pretend_environment(folder, command="printf '%s\\n' \"$@\"", name=".venv", version=(3, 7)):
    """Make a finished set-up whose ``python`` runs a command, and runs code as if it were this version of Python."""
    python = folder / name / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("\n".join([
        "#!/bin/sh",
        f"[ \"$1\" != -c ] || exec '{sys.executable}' -c \"import sys; sys.version_info = {version}; $2\"",
        command, ""]), encoding="utf-8")
    python.chmod(0o755)
    (folder / name / ".done").write_text(f"{folder.resolve()}\n", encoding="utf-8")


def interrupt(command):
    """Run a command in a terminal, press Ctrl-C when it prints "ready", and return its output and wait status."""
    process, terminal = pty.fork()
    if not process:
        os.execvpe(command[0], command, environment())
    output, part = b"", b" "
    while part:
        try:
            part = os.read(terminal, 1024)
        except OSError:  # the end, on Linux
            part = b""
        output += part
        if b"ready" in part:
            os.write(terminal, b"\x03")
    os.close(terminal)
    return output.decode(), os.waitpid(process, 0)[1]


@needs_make
class TestMakefile:
    @pytest.mark.parametrize("target, variables, arguments", [
        ("sample", ["ARGS=--prime 'Anna ' --chars \"2\""], ["charrnn.sample", "--prime", "Anna ", "--chars", "2"]),
        ("train", ["ARGS=--epochs 1", "TEXT=it's a, \"text\".txt"],
         ["charrnn.train", "it's a, \"text\".txt", "--epochs", "1"]),
        ("train", [], ["charrnn.train", "anna"]),
        ("test", ["ARGS=-k 'a or b'"], ["pytest", "-n", "2", "--dist", "worksteal", "-k", "a or b"])])
    def test_arguments_and_the_text_reach_the_command(self, copy, target, variables, arguments):
        pretend_environment(copy)
        assert make(copy, target, *variables).splitlines() == ["-m", *arguments]
        assert re.search(rf"^  make {target} +\w", make(copy), re.MULTILINE)
        assert max(map(len, make(copy).splitlines())) <= 80

    def test_texts_next_to_the_checkout_are_used_by_default(self, copy):
        pretend_environment(copy, 'echo "$CHARRNN_DATA"')
        (copy.parent / "shared" / "data").mkdir(parents=True)
        assert make(copy, "sample") == f"{copy.resolve()}/../shared/data\n"
        assert make(copy, "sample", env={"CHARRNN_DATA": "/else/where"}) == "/else/where\n"

    @pytest.mark.parametrize("target", ["train", "sample"])
    def test_a_failure_is_one_of_make(self, copy, target):
        pretend_environment(copy, "exit 2")
        make(copy, target, "TEXT=x", status=2)

    @pytest.mark.parametrize("target", ["train", "sample"])
    def test_after_ctrl_c_make_prints_no_error(self, copy, target):
        pretend_environment(copy, "trap 'echo saved; exit 130' INT; echo ready; while :; do sleep 0.1; done")
        output, status = interrupt(["make", "-C", str(copy), "--no-print-directory", target, "TEXT=x"])
        assert output.replace("^C", "").split() == ["ready", "saved"]
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT  # of make itself, for the shell

    @pytest.mark.parametrize("spoil", [
        lambda copy: os.utime(str(copy / ".venv" / ".done"), (0, 0)),
        lambda copy: (copy / ".venv" / "bin" / "python").unlink(),
        lambda copy: copy.rename(copy.parent / "moved")], ids=["outdated", "without its Python", "moved"])
    def test_a_finished_set_up_is_repeated_only_if_it_must_be(self, copy, spoil):
        pretend_environment(copy)
        assert "-m venv" not in make(copy, "-n", "venv")
        spoil(copy)
        assert "-m venv" in make(next(copy.parent.glob("*/Makefile")).parent, "-n", "venv")

    @pytest.mark.parametrize("version, suffix", [((3, 7, 9), ""), ((3, 12, 1), "-tf2")])
    def test_the_first_command_installs_the_locked_packages_for_the_python_that_is_found(self, copy, version, suffix):
        """The Python is a script that notes its arguments."""
        python = copy.parent / "a python"
        python.write_text(f"""#!/bin/sh
case $2 in *platform*) echo "CPython {'.'.join(map(str, version))}, 64 bit, x86_64 at $0"; exit ;; esac
[ "$1" != -c ] || exec '{sys.executable}' -c "import sys; sys.version_info = {version}; $2"
echo "$@" >>log
[ "$2" != venv ] || {{ mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; }}
""", encoding="utf-8")
        python.chmod(0o755)
        make(copy, "train", "TEXT=small.txt", env={"PYTHON": str(python)})
        log = (copy / "log").read_text()
        assert f" -r requirements{suffix}.txt -r requirements{suffix}-dev.txt\n" in log
        assert log.endswith("\n-m charrnn.train small.txt\n") and (copy / ".venv" / ".done").exists()

    def test_each_tensorflow_has_an_environment_of_its_own(self, copy):
        names = {"": ".venv", "1": ".venv", "2": ".venv-tf2", "2.15": ".venv-tf2.15"}
        for name in set(names.values()):
            pretend_environment(copy, f"echo {name}", name=name)
        assert {each: make(copy, "sample", f"TENSORFLOW={each}").strip() for each in names} == names

    def test_an_environment_of_tensorflow_2_does_not_do_where_1_or_horovod_is_wanted(self, copy):
        pretend_environment(copy, version=(3, 12))
        assert "-m venv" not in make(copy, "-n", "venv")
        assert "-m venv" in make(copy, "-n", "venv", "TENSORFLOW=1")
        _, errors = run(["make", "-C", copy, "venv-distributed"], status=2)
        assert "only with 1.15 and 2.15: make TENSORFLOW=2 venv-distributed" in errors

    def test_clean_leaves_texts_checkpoints_and_the_downloaded_python(self, copy):
        keep = [".python/x", "data/anna.txt", "checkpoints/i1_l2.ckpt.index", "checkpoints/build/x"]
        drop = [".venv/x", ".venv-tf2/x", ".tools/x", "build/x", "charrnn.egg-info/x", "charrnn/__pycache__/x"]
        for name in keep + drop:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).touch()
        make(copy, "clean")
        assert [name for name in keep + drop if (copy / name).exists()] == keep


# Lock files and setup.py


def pins(suffix, dev=""):
    """Return the versions that a lock file pins."""
    lines = (ROOT / f"requirements{suffix}{dev}.txt").read_text(encoding="utf-8").splitlines()
    found = [line.split(";")[0].split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in found}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The metadata that setup.py declares."""
    folder = tmp_path_factory.mktemp("metadata")
    run([sys.executable, "setup.py", "-q", "egg_info", "--egg-base", folder], cwd=str(ROOT))
    return importlib_metadata.PathDistribution(folder / "charrnn.egg-info")


def requirements(package, version, *extras):
    """Return the specifiers of what the package requires on a version of Python, by name."""
    environments = [{"extra": extra, "python_version": version} for extra in ["", *extras]]
    return {canonicalize_name(each.name): each.specifier for each in map(Requirement, package.requires)
            if each.marker is None or any(map(each.marker.evaluate, environments))}


@pytest.mark.parametrize("suffix", LOCKS)
def test_locks_satisfy_setup_py(package, suffix):
    extras = ["tensorflow", "notebook", "test", *(["distributed"] if suffix != "-tf2" else [])]
    pinned = {**pins("-distributed"), **pins(suffix), **pins(suffix, "-dev")}
    for version in LOCKS[suffix]:
        for name, specifier in requirements(package, version, *extras).items():
            assert pinned[name] in specifier, name


@pytest.mark.parametrize("version, tensorflow", [
    ("3.7", "==1.15"), ("3.9", "None"), ("3.14", "None"), *((version, "<2.22,>=2.15") for version in LOCKS["-tf2"])])
def test_the_extras_are_those_that_a_python_can_have(package, version, tensorflow):
    assert str(requirements(package, version, "tensorflow").get("tensorflow")) == tensorflow
    assert ("horovod" in requirements(package, version, "distributed")) == (version in LOCKS[""] + LOCKS["-tf2.15"])


def test_this_environment_is_the_locked_one():
    if not (Path(sys.prefix) / ".done").exists():
        pytest.skip("this environment was not made by make")
    suffix = "" if sys.version_info < (3, 8) else Path(sys.prefix).name.replace(".venv", "") or "-tf2"
    pinned = {**pins(suffix), **pins(suffix, "-dev")}
    installed = {canonicalize_name(item.metadata["Name"]): item.version
                 for item in importlib_metadata.distributions()}
    assert {name: installed.get(name) for name in pinned} == pinned


def test_the_notebook_server_of_this_environment_starts():
    """For ``make notebook``."""
    pytest.importorskip("notebook")
    assert re.match(r"\d+\.", run([sys.executable, "-m", "notebook", "--version"])[0])


# Installed for real


@pytest.fixture(scope="module")
def source_distribution(tmp_path_factory):
    """What ``python -m build`` makes first, from a copy of what git has, so that the checkout does not change."""
    copy = tmp_path_factory.mktemp("copy")
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).symlink_to(ROOT / name)
    run([sys.executable, "-c", "from setuptools import build_meta; build_meta.build_sdist('dist')"], cwd=str(copy))
    path, = (copy / "dist").iterdir()
    return path


@pytest.fixture(scope="module")
def wheel(source_distribution, tmp_path_factory):
    """What ``python -m build`` makes then, from the source distribution."""
    folder = tmp_path_factory.mktemp("wheel")
    _, errors = run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder,
                     source_distribution])
    assert "DEPRECATION" not in errors
    path, = folder.iterdir()
    return path


def tracked():
    """Return the paths of the files that git has."""
    return run(["git", "ls-files"], cwd=str(ROOT))[0].splitlines()


@needs_git
def test_the_wheel_contains_the_package_and_nothing_else(wheel, package):
    assert wheel.name == f"charrnn-{charrnn.__version__}-py3-none-any.whl"
    names = {name for name in zipfile.ZipFile(str(wheel)).namelist() if ".dist-info/" not in name}
    assert names == {path.relative_to(ROOT).as_posix() for path in (ROOT / "charrnn").rglob("*")
                     if path.suffix in [".py", ".html", ".css", ".js", ".wat", ".wasm", ".npz"]}
    assert sorted(entry.name for entry in package.entry_points) == sorted(f"charrnn-{name}" for name in SCRIPTS)


@needs_git
def test_the_source_distribution_has_all_that_the_repository_has(source_distribution):
    assert source_distribution.name == f"charrnn-{charrnn.__version__}.tar.gz"
    with tarfile.open(str(source_distribution)) as archive:
        found = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert set(tracked()) <= found and "tests/conftest.py" in found


@needs_git
@pytest.mark.slow
@pytest.mark.parametrize("archive, made", [("source_distribution", ".venv"), ("wheel", ".venv-tf2")])
def test_both_write_in_a_fresh_environment(archive, made, tmp_path, request):
    """It needs no network: pip, setuptools and NumPy come from an environment that make has made."""
    if not (ROOT / made).exists():
        pytest.skip(f"there is no {made}")
    python, _ = run(["sh", ROOT / ".make" / "find-python"], env={"PYTHON": str(ROOT / made / "bin" / "python")})
    run([python.strip(), "-m", "venv", "--without-pip", tmp_path / "fresh"])
    theirs, ours = [next(folder.glob("lib/python3.*/site-packages")) for folder in (ROOT / made, tmp_path / "fresh")]
    (ours / "theirs.pth").write_text(str(theirs))
    programs = tmp_path / "fresh" / "bin"
    run([programs / "python", "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-build-isolation",
         "--ignore-installed", request.getfixturevalue(archive)])
    imported, _ = run([programs / "python", "-c", "import charrnn; print(charrnn.__file__)"], cwd=str(tmp_path))
    assert imported == f"{ours / 'charrnn' / '__init__.py'}\n"
    listing, _ = run([programs / "python", "-m", "charrnn"], cwd=str(tmp_path))
    assert all(f"charrnn-{name}" in listing for name in SCRIPTS)
    text, _ = run([programs / "charrnn-sample", "tiny-shakespeare", "--prime", "To ", "--length", "50"],
                  cwd=str(tmp_path))
    assert text.startswith("To ") and len(text) == len("To ") + 50 + 1


GRAPH = """
import charrnn
from charrnn.system.tensorflow import tf
model = charrnn.CharRNN(5, batch_size=2, num_steps=3, lstm_size=4)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    print(session.run(model.loss, {model.inputs: [[0, 1, 2]] * 2, model.targets: [[1, 2, 3]] * 2,
                                   model.keep_prob: 1.0}).shape)
"""


def empty_environment(folder, python):
    """Make an environment in which pip can install packages; return its folder of programs."""
    run([python, "-m", "venv", folder])
    if subprocess.run([str(folder / "bin" / "pip"), "install", "-q", "setuptools<80", "wheel"]).returncode:
        pytest.skip("pip reaches no package index")
    return folder / "bin"


@needs_git
@pytest.mark.slow
@pytest.mark.parametrize("tensorflow", ["1", "2"])
def test_the_package_installs_in_an_empty_environment(wheel, tensorflow, tmp_path):
    try:
        python, _ = run(["sh", ROOT / ".make" / "find-python"], env={"TENSORFLOW": tensorflow})
    except AssertionError:
        pytest.skip("no Python for this TensorFlow was found")
    programs = empty_environment(tmp_path / "empty", python.strip())
    run([programs / "pip", "install", "-q", f"{wheel}[tensorflow]"])
    run([programs / "pip", "check"])
    assert run([programs / "python", "-c", GRAPH], cwd=str(tmp_path))[0] == "()\n"
    for name in SCRIPTS:
        assert f"usage: charrnn-{name}" in run([programs / f"charrnn-{name}", "--help"])[0]
