"""The set-up: what make runs, which Python it finds, the lock files, and the package, built and installed."""

import fnmatch
import hashlib
import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
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
# variables of the make that runs these tests
OF_MAKE = {
    *["MAKEFLAGS", "MFLAGS", "MAKELEVEL"],
    *["ARGS", "TEXT", "PYTHON", "TENSORFLOW", "CHARRNN_DATA", "CHARRNN_MAKE"],
}


def run(command, status=0, **options):
    """Run a command without the variables of the make that runs these tests; return its output and errors."""
    environment = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    options["env"] = {**environment, "PYTHON_DOWNLOAD": "no", **options.get("env", {})}
    command = [str(part) for part in command]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


# make


@pytest.fixture
def copy(tmp_path):
    """A folder with what the Makefile needs, in a path with a space."""
    folder = tmp_path / "a copy"
    shutil.copytree(str(ROOT / ".make"), str(folder / ".make"))
    for name in ("Makefile", "pyproject.toml", "setup.py"):
        shutil.copy(str(ROOT / name), str(folder))
    for path in ROOT.glob("requirements*.txt"):
        shutil.copy(str(path), str(folder))
    return folder


def program(path, text):
    """Write a program for the shell; return its path."""
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def pretend_environment(folder, command="printf '%s\\n' \"$@\"", name=".venv"):
    """Make a finished set-up whose ``python`` runs a command, and code as usual."""
    programs = folder / name / "bin"
    programs.mkdir(parents=True)
    program(programs / "python", f'[ "$1" != -c ] || exec \'{sys.executable}\' "$@"\n{command}')
    (folder / name / ".done").touch()


def make(folder, *arguments, **options):
    out, _ = run(["make", "-C", folder, "--no-print-directory", *arguments], **options)
    return out


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


@needs_make
@pytest.mark.parametrize("target", ["train", "sample", "page", "test", "lint", "format"])
def test_make_alone_lists_its_targets(copy, target):
    assert re.search(rf"^  make {target} +\w", make(copy), re.MULTILINE)


@needs_make
def test_the_list_of_targets_fits_a_terminal(copy):
    assert max(map(len, make(copy).splitlines())) <= 80


@needs_make
def test_the_notebooks_open_for_root_too(copy):
    pretend_environment(copy)
    arguments = make(copy, "notebook", "ARGS=--debug").splitlines()
    expected = ["-m", "notebook", "--ip=127.0.0.1", "--allow-root", "--debug", "notebooks/"]
    assert arguments == expected


@needs_make
def test_several_processes_are_started_by_the_mpiexec_of_the_environment(copy):
    pretend_environment(copy)
    shutil.copy(str(copy / ".venv" / "bin" / "python"), str(copy / ".venv" / "bin" / "mpiexec"))
    arguments = make(copy, "train-distributed", "NP=3", "ARGS=--epochs 1").split()
    assert " ".join(arguments) == "-n 3 .venv/bin/python -m charrnn train anna --epochs 1"


@needs_make
@pytest.mark.parametrize("tensorflow, name", [([], ".venv"), (["TENSORFLOW=2"], ".venv-tf2")])
def test_a_command_that_make_has_run_advises_a_command_of_make(copy, tensorflow, name):
    """Which runs as it is printed, whatever characters a path has."""
    folder = 'it\'s a "$HOME" `x` \\ $(y) folder'
    code = (
        "import sys; from charrnn.system.commands_to_type import resume_command; "
        "print(resume_command(sys.argv[1]))"
    )
    advise = f"'{sys.executable}' -c {shlex.quote(code)} \"$FOLDER\""
    pretend_environment(copy, f"printf '%s\\n' \"$@\"\n{advise}", name)
    options = dict(cwd=str(copy), env={"FOLDER": folder, "PYTHONPATH": str(ROOT)})

    out, _ = run(["make", "train", "TEXT=x", *tensorflow], **options)
    *_, advised = out.splitlines()
    assert advised.startswith(" ".join(["make", *tensorflow, "train", "ARGS="]))

    out, _ = run(["sh", "-c", advised], **options)
    *arguments, _ = out.splitlines()
    assert arguments == ["-m", "charrnn", "train", "--resume", "--checkpoint-dir", folder]


@needs_make
def test_a_failure_is_one_of_make(copy):
    pretend_environment(copy, "exit 2")
    make(copy, "train", "TEXT=x", status=2)


@needs_make
def test_after_ctrl_c_make_prints_no_error(copy):
    # GNU make complains of a child that is gone before it has heard of Ctrl-C itself, as no training is, which saves.
    training = "trap 'sleep 1; echo saved; exit 130' INT; echo ready; while :; do sleep 0.1; done"
    pretend_environment(copy, training)
    command = ["make", "-C", str(copy), "--no-print-directory", "train", "TEXT=x"]
    environment = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    process, terminal = pty.fork()
    if not process:
        os.execvpe("make", command, environment)
    output = b""
    while b"saved" not in output:
        output += os.read(terminal, 1024)
        if output.endswith(b"ready\r\n"):
            os.write(terminal, b"\x03")
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    assert output.decode().replace("^C", "").split() == ["ready", "saved"]
    # The shell hears that make itself ended by Ctrl-C.
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGINT


@needs_make
def test_a_finished_set_up_is_repeated_only_if_it_must_be(copy):
    pretend_environment(copy)
    assert "-m venv" not in make(copy, "-n", "venv")
    os.utime(str(copy / ".venv" / ".done"), (0, 0))
    assert "-m venv" in make(copy, "-n", "venv")


@needs_make
@pytest.mark.parametrize("target", ["train", "sample"])
@pytest.mark.parametrize(
    "there, arguments, used",
    [
        ([".venv"], [], ".venv"),
        ([".venv-tf2"], [], ".venv-tf2"),
        ([".venv", ".venv-tf2"], [], ".venv"),
        ([".venv", ".venv-tf2"], ["TENSORFLOW=1"], ".venv"),
        ([".venv", ".venv-tf2"], ["TENSORFLOW=2"], ".venv-tf2"),
    ],
)
def test_the_environment_that_is_there_is_used(copy, target, there, arguments, used):
    for name in there:
        pretend_environment(copy, f"echo {name}", name)
    assert make(copy, target, *arguments) == f"{used}\n"


@needs_make
def test_an_outdated_environment_of_tensorflow_2_is_made_for_it_again(copy):
    pretend_environment(copy, name=".venv-tf2")
    os.utime(str(copy / ".venv-tf2" / ".done"), (0, 0))
    assert "TENSORFLOW=2 sh .make/find-python" in make(copy, "-n", "train")


def pretend_python(folder, version):
    """Make what make takes for a Python of a version. It prints what it is to do."""
    return program(
        folder / "a python",
        f"""case "$1 $2" in
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-V ") echo "Python {version}" ;;
    *tf2*) echo -tf2 ;;
    -c*) [ "${{0##*/}}" = python ] || echo "CPython {version}, 64 bit, arm64 at $0" ;;
    *) printf '%s\\n' "$*" ;;
esac""",
    )


@pytest.fixture
def python_3_9(copy):
    """It has no TensorFlow."""
    return pretend_python(copy, "3.9.18")


@needs_make
@pytest.mark.parametrize(
    "version, packages",
    [
        ("3.10.13", r"\.\[tensorflow,[a-z,]+\] ruff mypy"),
        ("3.11.7", "-r requirements-tf2.txt -r requirements-tf2-dev.txt"),
        ("3.13.5", "-r requirements-tf2.txt -r requirements-tf2-dev.txt"),
    ],
)
def test_a_python_that_the_lock_files_are_not_for_gets_the_newest_packages(copy, version, packages):
    python = pretend_python(copy, version)
    out = make(copy, "TENSORFLOW=2", f"PYTHON={python}", "venv")
    installation = f"^-m pip install -q --no-build-isolation {packages}$"
    assert re.search(installation, out, re.MULTILINE)


@needs_make
@pytest.mark.parametrize("target", ["sample", "page"])
def test_a_model_needs_no_tensorflow(copy, target, python_3_9):
    """Any Python from 3.8 on makes an environment with NumPy, once."""
    *_, installation, command = make(copy, target, f"PYTHON={python_3_9}").splitlines()
    assert installation == "-m pip install -q --only-binary=:all: numpy tqdm"
    assert command.startswith("-m charrnn ")
    assert make(copy, target, f"PYTHON={python_3_9}") == f"{command}\n"
    assert not (copy / ".venv").exists()


@needs_make
@pytest.mark.parametrize(
    "arguments, environment",
    [
        (["train"], ".venv"),
        (["sample", "TENSORFLOW=2"], ".venv-tf2"),
        (["page", "TENSORFLOW=2"], ".venv-tf2"),
    ],
)
def test_what_needs_tensorflow_or_asks_for_it_gets_it(copy, arguments, environment):
    assert f"-m venv {environment} " in make(copy, "-n", *arguments)


@needs_make
@pytest.mark.parametrize("target", ["sample", "page"])
def test_a_model_uses_an_environment_with_tensorflow_that_is_there(copy, target):
    pretend_environment(copy, "echo with TensorFlow")
    assert make(copy, target) == "with TensorFlow\n"


@needs_make
def test_clean_leaves_texts_checkpoints_and_the_downloaded_python(copy):
    keep = [".python/x", "data/anna.txt", "checkpoints/i1_l2.ckpt.index", "checkpoints/build/x"]
    drop = [
        *[".venv/x", ".venv-numpy/x", ".venv-tf2/x", ".tools/x"],
        *["build/x", "charrnn.egg-info/x", "charrnn/__pycache__/x"],
    ]
    for name in keep + drop:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).touch()
    make(copy, "clean")
    assert [name for name in keep + drop if (copy / name).exists()] == keep


# Finding a Python


def find_python(status=0, **variables):
    """Return the path that is found and what is said."""
    path, said = run(["sh", ROOT / ".make" / "find-python"], status, env=variables)
    return path.strip(), said


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
        variables = dict(PYTHON=str(python), TENSORFLOW=tensorflow)
        if tensorflow in tensorflows:
            path, _ = find_python(**variables)
            assert path == str(python)
        else:
            _, said = find_python(status=1, **variables)
            assert f"{python}, which is {what}" in said


def test_the_python_of_this_environment_is_found():
    path, _ = find_python(PYTHON=sys.executable)
    assert Path(path).samefile(sys.executable)


@pytest.mark.parametrize(
    "variables, message",
    [
        ({"PYTHON": "/nowhere"}, "/nowhere, which is no Python that runs"),
        ({"TENSORFLOW": "3"}, "TENSORFLOW must be 1 or 2, not '3'"),
    ],
)
def test_what_is_wrong_is_explained(variables, message):
    _, said = find_python(status=1, **variables)
    assert message in said


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
    assert "Hash mismatch" in err
    assert not list(copy.glob(".python/*/bin"))
    right = hashlib.sha256(archive.read_bytes()).hexdigest()
    listed.write_text(re.sub("[0-9a-f]{64}", right, content), encoding="utf-8")
    run(get_python)
    assert list(copy.glob(".python/*/bin/python3.7"))


# Lock files and setup.py


def pins(suffix):
    """Return the versions that the two lock files of a TensorFlow pin."""
    versions = {}
    for end in ("", "-dev"):
        lines = (ROOT / f"requirements{suffix}{end}.txt").read_text(encoding="utf-8").splitlines()
        for line in lines:
            pin, *_ = line.split(";")
            if not line.startswith("#"):
                name, version = pin.split("==")
                versions[canonicalize_name(name)] = version.strip()
    return versions


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The metadata that pyproject.toml and setup.py declare."""
    folder = tmp_path_factory.mktemp("metadata")
    run([sys.executable, "setup.py", "-q", "egg_info", "--egg-base", folder], cwd=str(ROOT))
    return importlib_metadata.PathDistribution(folder / "karnna.egg-info")


def requirements(package, version, *extras):
    """Return the specifiers of what the package requires on a version of Python, by name."""
    here = {"python_version": version, "sys_platform": "linux"}
    environments = [dict(here, extra=extra) for extra in ["", *extras]]
    specifiers = {}
    for requirement in map(Requirement, package.requires):
        marker = requirement.marker
        if marker is None or any(map(marker.evaluate, environments)):
            specifiers[canonicalize_name(requirement.name)] = requirement.specifier
    return specifiers


@pytest.mark.parametrize(
    "suffix, version",
    [
        ("", "3.7"),
        ("-tf2", "3.11"),
        ("-tf2", "3.12"),
        ("-tf2", "3.13"),
    ],
)
def test_locks_satisfy_setup_py(package, suffix, version):
    pinned = pins(suffix)
    extras = ("tensorflow", "distributed", "notebook", "site", "test")
    for name, specifier in requirements(package, version, *extras).items():
        assert pinned[name] in specifier, name


# Installed for real


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """What pip makes of what git has, in a copy, so that the checkout does not change."""
    copy = tmp_path_factory.mktemp("copy")
    names, _ = run(["git", "ls-files"], cwd=str(ROOT))
    for name in names.splitlines():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(ROOT / name), str(copy / name))
    pip = [sys.executable, "-m", "pip"]
    run([*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", copy, copy])
    [path] = copy.glob("*.whl")
    return path


@needs_git
@pytest.mark.slow
def test_the_wheel_has_the_version_of_the_package(wheel):
    assert wheel.name == f"karnna-{charrnn.__version__}-py3-none-any.whl"


def files_of_package(folder):
    paths = [path for path in (folder / "charrnn").rglob("*") if "__pycache__" not in str(path)]
    return {path.relative_to(folder).as_posix() for path in paths if path.is_file()}


def test_the_whole_package_is_installed(tmp_path):
    """The pages with their sources, too, which are no modules."""
    build = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", tmp_path]
    run(build, cwd=str(ROOT), env={"PYTHONWARNINGS": "ignore"})
    assert files_of_package(tmp_path) == files_of_package(ROOT)


def test_the_package_has_a_command_for_each_script(package):
    names = {entry.name for entry in package.entry_points}
    assert names == {"charrnn", *(f"charrnn-{name}" for name in SCRIPTS)}


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
    tools = [str(programs / "pip"), "install", "-q", "setuptools<80", "wheel"]
    if subprocess.run(tools).returncode:
        pytest.skip("pip reaches no package index")
    run([programs / "pip", "install", "-q", f"{wheel}[tensorflow]"])
    run([programs / "pip", "check"])
    graph = "import charrnn; print(charrnn.CharRNN(5, batch_size=2, num_steps=3, lstm_size=4).loss.shape)"
    shape, _ = run([programs / "python", "-c", graph], cwd=str(tmp_path))
    assert shape == "()\n"
    for name in SCRIPTS:
        usage, _ = run([programs / f"charrnn-{name}", "--help"])
        assert f"usage: charrnn-{name}" in usage
    arguments = ["tiny-shakespeare", "--prime", "To ", "--length", "50"]
    text, _ = run([programs / "charrnn", "sample", *arguments], cwd=str(tmp_path))
    assert re.fullmatch("To (?s:.){50}\n", text)


@pytest.mark.slow
def test_the_commands_of_the_image_install_the_package(tmp_path):
    """Without Docker, and with the NumPy that is here."""
    lines = (ROOT / "docs" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("COPY "):
            *sources, target = line.split()[1:]
            for source in sources:
                path = tmp_path / "copy" / target
                if (ROOT / source).is_dir():
                    shutil.copytree(str(ROOT / source), str(path))
                else:
                    path.mkdir(parents=True, exist_ok=True)
                    shutil.copy(str(ROOT / source), str(path))

    (install,) = [line.split()[1:] for line in lines if line.startswith("RUN python ")]
    options = ["-q", "--no-deps", "--no-build-isolation", "--target", tmp_path / "installed"]
    run([sys.executable, *install[1:], *options], cwd=str(tmp_path / "copy"))

    (entry,) = [line for line in lines if line.startswith("ENTRYPOINT ")]
    script, model = json.loads(entry[len("ENTRYPOINT ") :])
    program = tmp_path / "installed" / "bin" / script
    arguments = [model, "--length", "20", "--seed", "1"]
    text, _ = run([sys.executable, program, *arguments], env={"PYTHONPATH": tmp_path / "installed"})
    assert len(text) > 20


# The fast tests


@pytest.mark.thorough
def test_the_fast_tests_run_and_skip_what_needs_tensorflow_or_another_process():
    """As make starts them, on some tests."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [arguments] = re.findall(r"-m pytest (--fast .*) tests \$\(ARGS\)", makefile)
    some = ["tests/system/test_tensorflow.py"]
    command = [sys.executable, "-m", "pytest", *arguments.split(), "-rs", *some]
    out, _ = run(command, cwd=ROOT, env={"CHARRNN_SKIPS": ""})
    assert "it needs another process" in out
    assert "it needs TensorFlow" in out
    assert re.search(r"\d+ passed, \d+ skipped in", out)


# Files over 1 MB that may be committed. Each version of one stays in every clone, so they change once a version.
LARGE = ("charrnn/models/*.npz", "docs/anna.html", "docs/yours.html", "notebooks/*_Solution.ipynb")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no clone of the repository")
def test_no_large_file_is_committed_that_is_not_listed():
    command = ["git", "ls-files", "-z"]
    done = subprocess.run(command, check=True, cwd=str(ROOT), stdout=subprocess.PIPE)
    names = done.stdout.decode("utf-8").rstrip("\0").split("\0")
    paths = [ROOT / name for name in names]
    large = [path for path in paths if path.is_file() and path.stat().st_size > 1e6]
    assert large
    unlisted = []
    for path in large:
        name = path.relative_to(ROOT).as_posix()
        if not any(fnmatch.fnmatch(name, pattern) for pattern in LARGE):
            unlisted.append(name)
    assert unlisted == []
