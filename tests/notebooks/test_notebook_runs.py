"""The notebooks executed: the exercise before it is filled in, and the solution at its small setting."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import lesson
import pytest
from answers import EXERCISES
from cells import FOLDER, WRITTEN
from conftest import ROOT

WAITS = "This cell needs exercises that no check has found right"
STILL_WAITS = "This cell waits for the same exercises."
of_services = pytest.mark.skipif(
    sys.version_info < (3, 10), reason="hosted notebook services have TensorFlow 2"
)


@pytest.fixture
def execute(tmp_path, monkeypatch, fonts):
    """Return a function that executes a notebook, its settings replaced, with its runs in a temporary folder.

    The cells are put in another order by `order`, where it is given; then exceptions are left in the outputs.
    """
    missing = "{} is not installed: pip install -e '.[test]'"
    nbformat = pytest.importorskip("nbformat", reason=missing.format("nbformat"))
    nbclient = pytest.importorskip("nbclient", reason=missing.format("nbclient"))
    # this environment's kernel, not another of that name
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("MPLCONFIGDIR", str(fonts))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    in_temporary_folder = {
        "checkpoint_dir": str(tmp_path / "run"),
        "page": str(tmp_path / "page.html"),
        "progress": str(tmp_path / "progress.json"),
    }

    def run(
        name,
        folder=FOLDER,
        repository="",
        shown="''",
        order=None,
        in_cell="settings",
        kernel_name="python3",
        **settings,
    ):
        notebook = nbformat.read(str(FOLDER / name), as_version=4)
        for cell in notebook.cells:
            if cell.id == "setup":
                cell.source = cell.source.replace('repository = ""', f"repository = {repository!r}")
            if cell.id == in_cell:
                for setting, value in {**in_temporary_folder, **settings}.items():
                    cell.source += f"\n{setting} = {value!r}"
                cell.source += f"\nprint({shown})"
        if order:
            notebook.cells = order(notebook.cells)
        client = nbclient.NotebookClient(
            notebook,
            timeout=1500,
            startup_timeout=600,
            kernel_name=kernel_name,
            allow_errors=order is not None,
            resources={"metadata": {"path": str(folder)}},
        )
        client.execute()
        return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}

    return run


@pytest.fixture
def small_text(tmp_path):
    """A text in which every character is known, long enough for the small setting."""
    path = tmp_path / "text.txt"
    path.write_bytes(
        b'"The Far cat sat on the mat," she said.\r\nThen the rat ate the hat.\r\n' * 300
    )
    return str(path)


def texts(outputs):
    """Return what each cell printed."""
    printed = {}
    for name, of_cell in outputs.items():
        printed[name] = "".join(output.get("text", "") for output in of_cell)
    return printed


def committed():
    """Return the files of the folder, but for compiled Python."""
    return sorted(path for path in FOLDER.rglob("*") if "__pycache__" not in str(path))


def assert_quiet(outputs):
    """Check that no cell has written to the standard error, or raised."""
    for name, of_cell in outputs.items():
        for output in of_cell:
            assert output.get("name") != "stderr", name
            assert output.output_type != "error", name


@pytest.mark.slow
def test_the_exercise_runs_before_it_is_filled_in(execute, small_text, tmp_path):
    outputs = execute("Anna_KaRNNa.ipynb", text_name=small_text)
    assert_quiet(outputs)
    printed = texts(outputs)
    for name in (*WRITTEN, "repairs", "quiz"):
        assert printed[name].startswith(f"{name}: not right yet. Still None: "), name
    for name in (
        "first-network",
        "show-batch",
        "numpy-lstm",
        "model-size",
        "memory",
        "rates",
        "restore",
        "sample-last",
    ):
        assert printed[name].startswith((WAITS, STILL_WAITS)), name
    for name in (
        "first-text",
        "programs",
        "train",
        "loss-curve",
        "without-dropout",
        "ladder",
        "fit",
        "sample-earlier",
        "temperature",
        "plus-one",
        "one-unit",
        "coloured",
        "web-page",
    ):
        assert printed[name] == STILL_WAITS + "\n", name
    assert printed["predict-bigram"].startswith("Write your prediction in place of the dots")
    assert not (tmp_path / "run").exists()


def backwards(cells):
    """Begin with the imports, as after a restart, and take the cells that need them from the last to the first."""
    code = [cell for cell in cells if cell.cell_type == "code"]
    place = [cell.id for cell in code].index("imports")
    return [*code[: place + 1], *code[:place:-1]]


@pytest.mark.slow
def test_backwards_each_cell_says_which_it_needs(execute):
    outputs = execute("Anna_KaRNNa_Solution.ipynb", order=backwards)
    for name, of_cell in outputs.items():
        assert not [output for output in of_cell if output.output_type == "error"], name
    printed = texts(outputs)
    for name, missing in [
        ("bridge-torch", "training_ids"),
        ("bigram", "vocab"),
        ("restore", "checkpoints"),
        ("sizes", "again"),
        ("small-network", "build_loss"),
        ("bridge-tokens", "text"),
    ]:
        needs = f"This cell needs {missing}, which a cell above defines."
        assert printed[name].startswith(needs), name
    assert printed["rates"].startswith((WAITS, STILL_WAITS))


@pytest.mark.slow
def test_the_port_runs_in_under_three_minutes_on_two_cores(execute, anna, tmp_path):
    start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    outputs = execute(
        "Anna_KaRNNa_Port.ipynb",
        in_cell="port-settings",
        checkpoint_dir=str(tmp_path / "port"),
    )
    # seconds of the processor, which do not depend on what else the machine does
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start < 300  # of two cores
    assert_quiet(outputs)
    printed = texts(outputs)
    losses = [float(loss) for loss in re.findall(r"loss (\d\.\d+)", printed["train"])]
    assert losses[-1] < 2.2
    assert printed["sample-last"].startswith("Far")
    assert list((tmp_path / "port").glob("i*_l128.ckpt.index"))


@pytest.mark.slow
def test_the_solution_runs_at_the_small_setting_in_under_four_minutes_on_two_cores(
    execute, anna, tmp_path
):
    (tmp_path / "run").mkdir()  # of another run, which must stay as it is
    before = committed()
    start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    outputs = execute("Anna_KaRNNa_Solution.ipynb", setting="small")
    # seconds of the processor, which do not depend on what else the machine does
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start < 400  # of two cores
    assert_quiet(outputs)
    printed = texts(outputs)
    for name in (*EXERCISES, "repairs"):
        assert printed[name] == name + ": right.\n"
    losses = [float(loss) for loss in re.findall(r"loss (\d\.\d+)", printed["train"])]
    assert losses[-1] < losses[0] < 4.5
    assert re.search(r"bigrams +2\.", printed["train"])
    assert list((tmp_path / "run-2").glob("i*_l64.ckpt.index"))
    assert not list((tmp_path / "run").iterdir())
    written = re.sub("\n  ↳", "", printed["sample-last"][:-1])
    assert written.startswith("Far")
    assert len("Far") + 150 < len(written) <= len("Far") + 200 + 1
    for name in ("numpy-lstm", "gradient-graph"):
        assert number_after("largest difference: ", printed[name]) < 1e-6
    assert printed["plain-cell"].startswith(" 5 characters after the bracket: ")
    assert "LSTM, trained        along c" in printed["reach"]
    assert printed["quiz"].startswith("quiz: right.")
    for name in ("bridge-keras", "bridge-torch"):  # 180,000 characters are 72 windows
        if "Not run: the package" not in printed[name]:
            assert 2.8 < number_after("of 100 steps: ", printed[name]) < 3.5
    (picture, _) = outputs["goal"]
    assert picture["metadata"]["image/png"]["alt"].startswith("unit 267. ")  # of docs/inside.md
    assert number_after("quotation: ", printed["goal"]) < -0.9
    assert printed["toy-graph"].endswith("\n6.0\n2.0 6.0\n12.0\n")
    as_it_is, changed = re.findall(r"difference: +(\S+)", printed["whole-backward"])
    assert float(as_it_is) < 1e-6
    assert float(changed) > 0.01
    for name in ("memory", "rates"):
        assert printed[name].startswith("These figures are those of the solution's run")
    progress = json.loads((tmp_path / "progress.json").read_text())
    assert progress["CharRNN"]["attempts"] == 1
    assert "image/png" in outputs["coloured"][0]["data"]
    assert printed["web-page"].startswith("page.html: ")
    _, page, _ = outputs["web-page"]
    assert "<iframe" in page["data"]["text/html"]
    assert (tmp_path / "page.html").stat().st_size > 100_000
    assert committed() == before


def number_after(words, text):
    return float(re.search(f"{words}(.*)", text).group(1))


def commands_of_setup(folder, monkeypatch, installed):
    """Run the first cell in a folder, with commands that do nothing; return them. Only some packages are installed."""
    cells = json.loads((FOLDER / "Anna_KaRNNa.ipynb").read_text(encoding="utf-8"))["cells"]
    source = next("".join(cell["source"]) for cell in cells if cell["id"] == "setup")
    program = re.sub("^( *)!(.*)$", r"\1commands.append(f'\2')", source, flags=re.MULTILINE)
    commands = []
    (folder / "charrnn" / "notebooks").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: installed.get(name))
    monkeypatch.setattr("importlib.metadata.packages_distributions", lambda: installed)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.19.1")
    exec(program, {"commands": commands})
    return commands


@of_services
@pytest.mark.parametrize(
    "installed, ending",
    [
        ({}, ' "..[tensorflow]" matplotlib'),
        ({"tensorflow": ["tensorflow-cpu"]}, " --no-deps tf_keras~=2.19.0"),
    ],
)
def test_a_hosted_service_is_given_what_it_lacks(tmp_path, monkeypatch, installed, ending):
    """Such a service is a machine with a TPU, or a plain JupyterHub."""
    commands = commands_of_setup(tmp_path, monkeypatch, installed)
    assert len(commands) == 1
    assert commands[0].endswith(ending)


def repository_of_this_checkout(folder):
    """Make a git repository of the package and the notebooks as they are; return its address."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    for name in ("charrnn", "notebooks", "docs"):
        shutil.copytree(str(ROOT / name), str(folder / name), ignore=ignored)
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "As it is."]):
        subprocess.run([*git, *command], cwd=str(folder), check=True)
    return folder.as_uri()


@pytest.mark.slow
@of_services
@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_solution_runs_in_a_hosted_service(execute, small_text, tmp_path):
    empty = tmp_path / "content"
    origin = tmp_path / "origin"
    empty.mkdir()
    outputs = execute(
        "Anna_KaRNNa_Solution.ipynb",
        folder=empty,
        repository=repository_of_this_checkout(origin),
        shown="corpus.__file__",
        text_name=small_text,
        setting="small",
        checkpoint_dir="../checkpoints/notebook",
        page="page.html",
    )
    assert_quiet(outputs)
    printed = texts(outputs)
    for name in EXERCISES:
        assert printed[name] == name + ": right.\n"
    assert os.listdir(str(empty)) == ["charrnn"]
    clone = empty / "charrnn"
    assert printed["settings"].strip() == str(clone / "charrnn" / "text" / "corpus.py")
    assert (clone / "checkpoints" / "notebook" / "i35_l64.ckpt.index").is_file()
    assert (clone / "notebooks" / "page.html").is_file()


# the kernel of a service's Python
SERVICE = "service"


def python_of_version(version):
    """Return the path of a Python, "" if none is found."""
    finder = ["sh", str(ROOT / ".make" / "find-python"), version]
    environment = {**os.environ, "TENSORFLOW": "2", "PYTHON_DOWNLOAD": "no", "PYTHON": ""}
    found = subprocess.run(finder, env=environment, capture_output=True)
    return found.stdout.decode().strip()


@pytest.fixture(scope="module")
def python_of_colab(tmp_path_factory):
    """The Python of a new environment with Google Colab's packages, for which there is a kernel."""
    found = python_of_version("3.13") or python_of_version("3.12")
    if not found:
        pytest.skip("there is no Python 3.13 or 3.12")
    folder = tmp_path_factory.mktemp("colab")
    subprocess.run([found, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    listed = str(Path(__file__).parent / "colab.txt")
    install = [str(python), "-m", "pip", "install", "--quiet", "--requirement", listed]
    if subprocess.run(install).returncode:
        pytest.skip("pip reaches no package index")
    kernel = folder / "share" / "jupyter" / "kernels" / SERVICE
    kernel.mkdir()
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    described = {"argv": command, "display_name": SERVICE, "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(described))
    return python


@pytest.fixture
def execute_in_colab(execute, python_of_colab, tmp_path, monkeypatch):
    """Return a function that executes a notebook there, in a folder that has nothing but it and lesson.zip."""
    monkeypatch.setenv("JUPYTER_PATH", str(python_of_colab.parent.parent / "share" / "jupyter"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder = tmp_path / "content"
    folder.mkdir()

    def run(name, reader="teachers", **options):
        assert lesson.main([str(folder / "lesson.zip"), "--for", reader]) == 0
        shutil.copy(str(FOLDER / name), str(folder))
        outputs = execute(name, folder=folder, kernel_name=SERVICE, **options)
        assert sorted(os.listdir(str(folder))) == sorted([name, "charrnn", "lesson.zip"])
        assert_quiet(outputs)
        return outputs

    return run


@pytest.mark.slow
@of_services
def test_the_port_runs_from_a_zip_with_the_packages_of_colab(
    execute_in_colab, small_text, tmp_path
):
    outputs = execute_in_colab(
        "Anna_KaRNNa_Port.ipynb",
        in_cell="port-settings",
        shown="corpus.__file__",
        text_name=small_text,
        checkpoint_dir="../checkpoints/port",
    )
    printed = texts(outputs)
    unpacked = tmp_path / "content" / "charrnn"
    assert printed["port-settings"].startswith(str(unpacked / "charrnn" / "text" / "corpus.py"))
    assert printed["sample-last"].startswith("Far")
    assert list((unpacked / "checkpoints" / "port").glob("i*_l128.ckpt.index"))


def first_six(cells):
    """Take the cells up to the page of a trained network."""
    return [cell for cell in cells if cell.cell_type == "code"][:6]


@pytest.mark.slow
@of_services
@pytest.mark.parametrize(
    "name, reader",
    [("Anna_KaRNNa.ipynb", "students"), ("Anna_KaRNNa_Solution.ipynb", "teachers")],
)
def test_the_course_begins_from_a_zip_where_tf_keras_is_missing(
    execute_in_colab, python_of_colab, name, reader
):
    remove = [str(python_of_colab), "-m", "pip", "uninstall", "--quiet", "--yes", "tf_keras"]
    subprocess.run(remove, check=True)
    outputs = execute_in_colab(name, reader, order=first_six)
    subprocess.run([str(python_of_colab), "-c", "import tf_keras"], check=True)
    assert number_after("quotation: ", texts(outputs)["goal"]) < -0.9


@pytest.mark.thorough
@of_services
@pytest.mark.parametrize(
    "name", ["Anna_KaRNNa.ipynb", "Anna_KaRNNa_Solution.ipynb", "Anna_KaRNNa_Port.ipynb"]
)
def test_without_the_zip_the_first_cell_says_in_one_line_what_is_missing(execute, tmp_path, name):
    empty = tmp_path / "content"
    empty.mkdir()
    (outputs,) = execute(
        name, folder=empty, order=lambda cells: [cell for cell in cells if cell.id == "setup"]
    ).values()
    (error,) = outputs
    (line,) = error["traceback"]
    assert line.startswith("lesson.zip is missing. Ask whoever gave you this notebook for it")
    assert "\n" not in line
