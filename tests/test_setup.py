"""The set-up: what make runs, which Python it finds, the lock files, and the package, built and installed."""

import hashlib
import os
import pty
import re
import shlex
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

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
needs_git = pytest.mark.skipif(
    not (ROOT / ".git").exists() or shutil.which("git") is None, reason="no repository"
)


def run(command, status=0, **options):
    """Run a command without the variables of the make that runs these tests; return its output and errors."""
    ours = [
        "MAKEFLAGS",
        "MFLAGS",
        "MAKELEVEL",
        "ARGS",
        "TEXT",
        "PYTHON",
        "CHARRNN_DATA",
        "CHARRNN_MAKE",
        "TENSORFLOW",
    ]
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    options["env"] = {**environment, "PYTHON_DOWNLOAD": "no", **options.get("env", {})}
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        **options,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


# make


@pytest.fixture
def copy(tmp_path):
    """A folder with what the Makefile needs, in a path with a space."""
    folder = tmp_path / "a copy"
    shutil.copytree(str(ROOT / ".make"), str(folder / ".make"))
    for name in [
        "Makefile",
        "pyproject.toml",
        "setup.py",
        *(path.name for path in ROOT.glob("requirements*.txt")),
    ]:
        shutil.copy(str(ROOT / name), str(folder))
    return folder


def program(path, text):
    """Write a program for the shell; return its path."""
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def pretend_environment(folder, command="printf '%s\\n' \"$@\"", name=".venv"):
    """Make a finished set-up whose ``python`` runs a command, and code as usual."""
    (folder / name / "bin").mkdir(parents=True)
    program(
        folder / name / "bin" / "python",
        f'[ "$1" != -c ] || exec \'{sys.executable}\' "$@"\n{command}',
    )
    (folder / name / ".done").write_text(f"{folder.resolve()}\n", encoding="utf-8")


def make(folder, *arguments, **options):
    return run(["make", "-C", folder, "--no-print-directory", *arguments], **options)[0]


@needs_make
@pytest.mark.parametrize(
    "target, variables, arguments",
    [
        ("page", ["MODEL=a b", "ARGS=--best"], ["charrnn", "export", "a b", "page.html", "--best"]),
        (
            "sample",
            ["ARGS=--prime 'Anna ' --chars \"2\""],
            ["charrnn", "sample", "--prime", "Anna ", "--chars", "2"],
        ),
        (
            "train",
            ["ARGS=--epochs 1", 'TEXT=it\'s a, "text".txt'],
            ["charrnn", "train", 'it\'s a, "text".txt', "--epochs", "1"],
        ),
        ("train", ["TENSORFLOW=2"], ["charrnn", "train", "anna"]),
    ],
)
def test_arguments_and_the_text_reach_the_command(copy, target, variables, arguments):
    pretend_environment(copy, name=".venv-tf2" if "TENSORFLOW=2" in variables else ".venv")
    assert make(copy, target, *variables).splitlines() == ["-m", *arguments]
    assert re.search(rf"^  make {target} +\w", make(copy), re.MULTILINE)
    assert max(map(len, make(copy).splitlines())) <= 80


@needs_make
@pytest.mark.parametrize("user, flags", [("1000", []), ("0", ["--allow-root"])])
def test_the_notebooks_open_for_root_too(copy, user, flags):
    pretend_environment(copy)
    program(copy / "id", f"echo {user}")
    path = f"{copy}{os.pathsep}{os.environ['PATH']}"
    assert make(copy, "notebook", "ARGS=--debug", env={"PATH": path}).splitlines() == [
        "-m",
        "notebook",
        "--ip=127.0.0.1",
        *flags,
        "--debug",
        "notebooks/",
    ]


@needs_make
@pytest.mark.parametrize("target", ["train", "train-distributed", "sample", "page"])
def test_another_word_is_refused_before_anything_runs(copy, target):
    """Whether there is such a file or not."""
    pretend_environment(copy)
    (copy / "my.txt").write_text("my text")
    for words in ([target, "my.txt"], ["names", target]):
        out, err = run(["make", "-C", copy, *words], 2)
        assert (
            "-m" not in out
            and "TEXT=FILE names a text" in err
            and re.search('"(my.txt|names)"', err)
        )
    assert make(copy, "-n", "venv", target)


@needs_make
def test_several_processes_are_started_by_the_mpiexec_of_the_environment(copy):
    pretend_environment(copy)
    shutil.copy(str(copy / ".venv" / "bin" / "python"), str(copy / ".venv" / "bin" / "mpiexec"))
    assert make(copy, "train-distributed", "NP=3", "ARGS=--epochs 1").splitlines() == [
        "-n",
        "3",
        ".venv/bin/python",
        "-m",
        "charrnn",
        "train",
        "anna",
        "--epochs",
        "1",
    ]
    for wrong in ("0", "two", "", "1000", "99999999999"):
        make(copy, "train-distributed", f"NP={wrong}", status=2)


@needs_make
@pytest.mark.parametrize("tensorflow, name", [([], ".venv"), (["TENSORFLOW=2"], ".venv-tf2")])
def test_a_command_that_make_has_run_advises_a_command_of_make(copy, tensorflow, name):
    """Which runs as it is printed, whatever characters a path has."""
    folder = 'it\'s a "$HOME" `x` \\ $(y) folder'
    advise = (
        "import sys; from charrnn.system import words; print(words.resume_command(sys.argv[1]))"
    )
    pretend_environment(
        copy,
        f"printf '%s\\n' \"$@\"\n'{sys.executable}' -c {shlex.quote(advise)} \"$FOLDER\"",
        name,
    )
    options = dict(cwd=str(copy), env={"FOLDER": folder, "PYTHONPATH": str(ROOT)})
    advised = run(["make", "train", "TEXT=x", *tensorflow], **options)[0].splitlines()[-1]
    assert advised.startswith(" ".join(["make", *tensorflow, "train", "ARGS="]))
    assert run(["sh", "-c", advised], **options)[0].splitlines()[:-1] == [
        "-m",
        "charrnn",
        "train",
        "--resume",
        "--checkpoint-dir",
        folder,
    ]


@needs_make
def test_a_failure_is_one_of_make(copy):
    pretend_environment(copy, "exit 2")
    make(copy, "train", "TEXT=x", status=2)


@needs_make
def test_after_ctrl_c_make_prints_no_error(copy):
    # GNU make complains of a child that is gone before it has heard of Ctrl-C itself, as no training is, which saves
    pretend_environment(
        copy, "trap 'sleep 1; echo saved; exit 130' INT; echo ready; while :; do sleep 0.1; done"
    )
    process, terminal = pty.fork()
    if not process:
        names = ("MAKE", "MFLAGS", "TENSORFLOW", "ARGS")  # of a make that runs the tests
        os.execvpe(
            "make",
            ["make", "-C", str(copy), "--no-print-directory", "train", "TEXT=x"],
            {name: value for name, value in os.environ.items() if not name.startswith(names)},
        )
    output = b""
    while b"saved" not in output:
        output += os.read(terminal, 1024)
        if output.endswith(b"ready\r\n"):
            os.write(terminal, b"\x03")
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    assert output.decode().replace("^C", "").split() == ["ready", "saved"]
    # of make itself, for the shell
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT


@needs_make
@pytest.mark.parametrize(
    "spoil",
    [
        lambda copy: os.utime(str(copy / ".venv" / ".done"), (0, 0)),
        lambda copy: (copy / ".venv" / "bin" / "python").unlink(),
        lambda copy: copy.rename(copy.parent / "moved"),
    ],
    ids=["outdated", "without its Python", "moved"],
)
def test_a_finished_set_up_is_repeated_only_if_it_must_be(copy, spoil):
    pretend_environment(copy)
    assert "-m venv" not in make(copy, "-n", "venv")
    spoil(copy)
    assert "-m venv" in make(next(copy.parent.glob("*/Makefile")).parent, "-n", "venv")


@needs_make
@pytest.mark.parametrize("target", ["sample", "page"])
def test_a_model_needs_no_tensorflow(copy, target):
    """Any Python from 3.8 on makes an environment with NumPy, unless there is one with TensorFlow already."""
    python = program(
        copy / "a python",
        """case "$1 $2" in
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    -c*) [ "${0##*/}" = python ] || echo "CPython 3.9.18, 64 bit, arm64 at $0" ;;
    *) printf '%s\\n' "$*" ;;
esac""",
    )
    made = make(copy, target, f"PYTHON={python}").splitlines()
    assert made[-2] == "-m pip install -q --only-binary=:all: numpy tqdm" and made[-1].startswith(
        "-m charrnn "
    )
    again = make(copy, target, f"PYTHON={python}").splitlines()
    assert again == made[-1:] and not (copy / ".venv").exists()
    assert "-m venv .venv " in make(copy, "-n", "train") and "-tf2 " in make(
        copy, "-n", target, "TENSORFLOW=2"
    )
    pretend_environment(copy, "echo with TensorFlow")
    assert make(copy, target) == "with TensorFlow\n"


@needs_make
def test_clean_leaves_texts_checkpoints_and_the_downloaded_python(copy):
    keep = [".python/x", "data/anna.txt", "checkpoints/i1_l2.ckpt.index", "checkpoints/build/x"]
    drop = [
        *(f".{name}/x" for name in ("venv", "venv-numpy", "venv-tf2", "tools")),
        "build/x",
        "charrnn.egg-info/x",
        "charrnn/__pycache__/x",
    ]
    for name in keep + drop:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).touch()
    make(copy, "clean")
    assert [name for name in keep + drop if (copy / name).exists()] == keep


# Finding a Python


def find_python(status=0, **variables):
    """Return the path that is found and what is said."""
    found, said = run(["sh", ROOT / ".make" / "find-python"], status, env=variables)
    return found.strip(), said


@pytest.mark.parametrize(
    "what, tensorflows",
    [
        ("CPython 3.7.9, 64 bit, x86_64", ["1", ""]),
        ("CPython 3.13.0, 64 bit, x86_64", ["2", ""]),
        ("CPython 3.11.7, 64 bit, arm64", ["2", ""]),
        ("CPython 3.7.9, 64 bit, arm64", []),
        ("CPython 3.9.18, 64 bit, x86_64", []),
        ("PyPy 3.7.13, 64 bit, x86_64", []),
        ("CPython 3.7.9, 32 bit, x86_64", []),
        ("CPython 3.13.0, 64 bit, x86_64, free-threaded", []),
    ],
)
def test_a_python_is_taken_if_it_can_have_the_tensorflow(tmp_path, what, tensorflows):
    python = program(tmp_path / "a python", f'echo {shlex.quote(f"{what} at")} "$0"')
    for tensorflow in ("1", "2", ""):
        found, said = find_python(
            tensorflow not in tensorflows, PYTHON=str(python), TENSORFLOW=tensorflow
        )
        assert (
            found == str(python)
            if tensorflow in tensorflows
            else f"{python}, which is {what}" in said
        )


def test_the_python_of_this_environment_is_found_and_what_is_wrong_is_explained():
    found, _ = find_python(PYTHON=sys.executable)
    assert Path(found).samefile(sys.executable)
    assert "/nowhere, which is no Python that runs" in find_python(1, PYTHON="/nowhere")[1]
    assert "TENSORFLOW must be 1 or 2, not '3'" in find_python(1, TENSORFLOW="3")[1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the archive is that for Linux")
def test_a_python_is_downloaded_if_it_has_its_sha_256(copy):
    """Here from a file: address, at first with the SHA-256 of the real one."""
    get_python = ["sh", copy / ".make" / "get-python"]
    listed = copy / ".make" / "downloads.json"
    archive = copy / "python.tar.gz"
    (copy / "file").write_text(
        "# system configuration generated and used by the sysconfig module\nbuild_time_vars = {}\n"
    )
    with tarfile.open(str(archive), "w:gz") as tar:
        for name in ("bin/python3.7", "lib/python3.7/_sysconfigdata_m_linux_x86_64-linux-gnu.py"):
            tar.add(str(copy / "file"), f"python/{name}")
    content = re.sub('https:[^"]*', archive.as_uri(), listed.read_text(encoding="utf-8"))
    listed.write_text(content, encoding="utf-8")
    out, err = run(get_python, 1)
    if "uv could not be installed" in out:
        pytest.skip("pip reaches no package index")
    assert "Hash mismatch" in err and not list(copy.glob(".python/*/bin"))
    right = hashlib.sha256(archive.read_bytes()).hexdigest()
    listed.write_text(re.sub("[0-9a-f]{64}", right, content), encoding="utf-8")
    run(get_python)
    assert list(copy.glob(".python/*/bin/python3.7"))


# Lock files and setup.py


# the ends of their names, and their Pythons
LOCKS = {"": ["3.7"], "-tf2": ["3.10", "3.11", "3.12", "3.13"]}


def pins(suffix):
    """Return the versions that the two lock files of a TensorFlow pin."""
    found = {}
    for end in ("", "-dev"):
        lines = (ROOT / f"requirements{suffix}{end}.txt").read_text(encoding="utf-8").splitlines()
        pinned = [line.split(";")[0].split("==") for line in lines if not line.startswith("#")]
        found.update({canonicalize_name(name): version.strip() for name, version in pinned})
    return found


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The metadata that setup.py declares."""
    folder = tmp_path_factory.mktemp("metadata")
    run([sys.executable, "setup.py", "-q", "egg_info", "--egg-base", folder], cwd=str(ROOT))
    return importlib_metadata.PathDistribution(folder / "charrnn.egg-info")


def requirements(package, version, *extras):
    """Return the specifiers of what the package requires on a version of Python, by name."""
    environments = [
        {"extra": extra, "python_version": version, "sys_platform": "linux"}
        for extra in ["", *extras]
    ]
    return {
        canonicalize_name(each.name): each.specifier
        for each in map(Requirement, package.requires)
        if each.marker is None or any(map(each.marker.evaluate, environments))
    }


@pytest.mark.parametrize("suffix", LOCKS)
def test_locks_satisfy_setup_py(package, suffix):
    for version in LOCKS[suffix]:
        for name, specifier in requirements(
            package, version, "tensorflow", "distributed", "notebook", "test"
        ).items():
            assert pins(suffix)[name] in specifier, name


# Installed for real


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """What pip makes of what git has, in a copy, so that the checkout does not change."""
    copy = tmp_path_factory.mktemp("copy")
    for name in run(["git", "ls-files"], cwd=str(ROOT))[0].splitlines():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(ROOT / name), str(copy / name))
    run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            copy,
            copy,
        ]
    )
    (path,) = copy.glob("*.whl")
    return path


@needs_git
@pytest.mark.slow
def test_the_wheel_has_the_package_and_its_commands(wheel, package):
    assert wheel.name == f"charrnn-{charrnn.__version__}-py3-none-any.whl"
    names = {name for name in zipfile.ZipFile(str(wheel)).namelist() if ".dist-info/" not in name}
    assert names == {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "charrnn").rglob("*")
        if path.is_file() and "__pycache__" not in str(path)
    }
    assert sorted(entry.name for entry in package.entry_points) == sorted(
        ["charrnn", *(f"charrnn-{name}" for name in SCRIPTS)]
    )


@needs_git
@pytest.mark.slow
@pytest.mark.parametrize("tensorflow", ["1", "2"])
def test_the_package_installs_in_an_empty_environment_and_its_commands_run(
    wheel, tensorflow, tmp_path
):
    try:
        python, _ = find_python(TENSORFLOW=tensorflow)
    except AssertionError:
        pytest.skip("no Python for this TensorFlow was found")
    programs = tmp_path / "empty" / "bin"
    run([python, "-m", "venv", programs.parent])
    if subprocess.run(
        [str(programs / "pip"), "install", "-q", "setuptools<80", "wheel"]
    ).returncode:
        pytest.skip("pip reaches no package index")
    run([programs / "pip", "install", "-q", f"{wheel}[tensorflow]"])
    run([programs / "pip", "check"])
    graph = "import charrnn; print(charrnn.CharRNN(5, batch_size=2, num_steps=3, lstm_size=4).loss.shape)"
    assert run([programs / "python", "-c", graph], cwd=str(tmp_path))[0] == "()\n"
    for name in SCRIPTS:
        assert f"usage: charrnn-{name}" in run([programs / f"charrnn-{name}", "--help"])[0]
    text, _ = run(
        [programs / "charrnn", "sample", "tiny-shakespeare", "--prime", "To ", "--length", "50"],
        cwd=str(tmp_path),
    )
    assert text.startswith("To ") and len(text) == len("To ") + 50 + 1
