"""What the notebooks are given: texts broken between words, colours scaled to a unit, words for each picture."""

import types
from types import SimpleNamespace

import numpy as np
import pytest
from cells import FOLDER

from charrnn.engines.opening import open_model
from charrnn.model import CharRNN
from charrnn.system.tensorflow import tf


@pytest.fixture(scope="module")
def given():
    """The module, which imports Matplotlib."""
    import matplotlib

    matplotlib.use("agg")
    import given

    return given


@pytest.fixture
def shown(given, monkeypatch):
    """The figures that were shown, each with its words."""
    figures = []
    monkeypatch.setattr(given, "show", lambda figure, alt: figures.append((figure, alt)))
    yield figures
    for figure, _ in figures:
        given.plt.close(figure)


def test_long_lines_break_between_words_and_show_it(given, capsys):
    text = "word " * 30 + "\n\n" + "short-lived line"
    given.show_text(text)
    lines = capsys.readouterr().out.split("\n")
    assert max(map(len, lines)) <= given.COLUMNS
    assert " ".join(lines).replace("↳", "").split() == text.split()
    assert lines[1].startswith("  ↳ word")
    assert lines[-3:] == ["", "short-lived line", ""]


def test_bars_begin_at_the_bigrams_and_several_losses_come_with_their_spread(given, capsys):
    given.show_losses({"even guessing": 4.4, "bigrams": 2.5, "LSTM": [2.0, 2.1, 2.2], "best": 1.5})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("the bars begin at the bigrams, 2.500")
    assert [line.count("█") for line in lines[1:]] == [0, 0, 9, 22]
    assert "2.100 (2.000 to 2.200)" in lines[3]
    assert "to" not in lines[4]


@pytest.fixture
def stored(given, tmp_path, monkeypatch):
    """An empty store of what experiments measure."""
    path = tmp_path / "measured.json"
    path.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(given, "STORED", str(path))
    monkeypatch.setattr(given, "_measured", {})


def test_an_experiment_is_measured(given, stored, capsys):
    measured = given.measured("gates", True, {"LSTM": lambda: [1.5, 2.0]})
    assert measured["LSTM"].tolist() == [1.5, 2.0]
    assert capsys.readouterr().out == ""


def test_an_experiment_shows_what_was_stored(given, stored, capsys):
    given.measured("gates", True, {"LSTM": lambda: [1.5, 2.0]})
    given.store_measured()
    measured = given.measured("gates", False, {"LSTM": lambda: 1 / 0})
    assert measured["LSTM"].tolist() == [1.5, 2.0]
    assert "those of the solution's run" in capsys.readouterr().out


def test_what_an_earlier_version_has_stored_stays(given, stored):
    given.measured("gates", True, {"LSTM": lambda: [1.5]})
    given.store_measured()
    given._measured.clear()
    given.measured("rates", True, {"0.01": lambda: [2.5]})
    given.store_measured()
    assert given.latest("gates")["LSTM"].tolist() == [1.5]


def test_the_latest_figures_are_those_of_this_session(given, stored):
    given.measured("memory", True, {"gates": lambda: [1.5]})
    given.store_measured()
    given.measured("memory", True, {"gates": lambda: [0.5]})
    assert given.latest("memory")["gates"].tolist() == [0.5]


def test_the_bar_of_a_place_shows_how_far_its_loss_is_above_the_lowest(given, capsys):
    given.show_places([2.5, 2.4, 2.9])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "the bars begin at the smallest, 2.40"
    assert lines[1].startswith("piece  1: 2.50")
    assert [line.count("█") for line in lines[1:]] == [5, 0, 25]


def test_shares_come_in_percent_with_the_lowest_and_highest_of_the_seeds(given, capsys):
    shares = np.array([[[1, 0.9], [0.3, 0.2]], [[1, 1], [0.5, 0.4]]])
    given.show_shares(["LSTM", "counts"], [5, 40], shares)
    _, _, lstm, counts = capsys.readouterr().out.splitlines()
    assert lstm.split() == "LSTM 100 (100 to 100) 95 (90 to 100)".split()
    assert counts.split() == "counts 40 (30 to 50) 30 (20 to 40)".split()


@pytest.fixture
def python_file(tmp_path):
    """A file whose function adds 1."""
    path = tmp_path / "one.py"
    path.write_text("def f(x):\n    return x + 1\n")
    return str(path)


def test_a_file_is_loaded_with_one_piece_changed(given, python_file):
    assert given.module_of(python_file, "", "").f(1) == 2
    assert given.module_of(python_file, "+ 1", "- 1").f(1) == 0


@pytest.mark.parametrize("piece, number", [("+ 2", 0), ("x", 2)])
def test_a_piece_that_is_not_in_the_file_once_is_refused(given, python_file, piece, number):
    with pytest.raises(ValueError, match=f"is {number} times in .*one.py, not once"):
        given.module_of(python_file, piece, "y")


def test_an_answer_unfolds_once_there_is_a_prediction(given, monkeypatch, capsys):
    monkeypatch.chdir(FOLDER)
    displayed = []
    monkeypatch.setattr(given, "display", lambda data, raw: displayed.append(data))
    for nothing in (..., None, " "):
        given.unfold("bigram", nothing)
    assert not displayed
    assert capsys.readouterr().out.count("Write your prediction") == 3
    given.unfold("bigram", 0)
    (answer,) = displayed
    assert "<details>" in answer["text/html"]
    assert "<code>q</code>" in answer["text/html"]
    assert "after `q` there" in answer["text/plain"].replace("\n", " ")


@pytest.mark.parametrize("setting, is_said", [("own", False), ("small", True)])
def test_the_small_setting_has_other_figures_than_the_answer(
    given, monkeypatch, capsys, setting, is_said
):
    monkeypatch.chdir(FOLDER)
    monkeypatch.setattr(given, "display", lambda data, raw: None)
    shell = types.SimpleNamespace(user_ns={"setting": setting})
    monkeypatch.setattr(given, "get_ipython", lambda: shell)
    given.unfold("bigram", 0)
    assert ("with small, yours are others" in capsys.readouterr().out) == is_said


def test_where_a_frame_stays_empty_there_is_a_picture_with_words(given, monkeypatch):
    monkeypatch.chdir(FOLDER)
    displayed = []
    monkeypatch.setattr(given, "display", lambda data, raw: displayed.append(data))
    given.show_page_folded()
    (shown,) = displayed
    assert 'src="data:image/png;base64,' in shown["text/html"]
    assert 'alt="The top of the page' in shown["text/html"]


@pytest.fixture(scope="module")
def vocab():
    """The characters of anna."""
    return open_model("anna").vocabulary.chars


@pytest.fixture(scope="module")
def shipped(given, vocab, tmp_path_factory):
    """The folder of runs beside which the model anna was saved, and its checkpoints."""
    folder = str(tmp_path_factory.mktemp("shipped") / "run")
    return folder, given.find_run([], folder, vocab, "anna", CharRNN)


def test_without_a_run_there_is_nothing_to_write_from(given, vocab, tmp_path, capsys):
    assert given.find_run([], str(tmp_path / "run"), vocab, None, CharRNN) == []
    assert "There is no trained network for this text yet" in capsys.readouterr().out


def test_the_shipped_model_stands_in_for_a_run(given, vocab, shipped):
    _, checkpoints = shipped
    size, layers = given.sizes_of(checkpoints[-1])
    # Adam's averages included
    CharRNN(len(vocab), lstm_size=size, num_layers=layers, sampling=True)
    with tf.Session() as session:
        tf.train.Saver().restore(session, checkpoints[-1])
        weights = session.run("softmax/Variable:0")
    assert np.array_equal(weights, open_model("anna").weights["softmax/Variable"])


def test_the_newest_run_of_the_text_is_taken(given, vocab, shipped):
    folder, checkpoints = shipped
    assert given.find_run([], folder, vocab, None, CharRNN) == checkpoints
    assert given.find_run([], folder, vocab[1:], None, CharRNN) == []


def test_the_shipped_model_is_not_taken_for_another_text(given, vocab, shipped):
    folder, _ = shipped
    assert given.find_run([], folder, vocab[1:], "anna", CharRNN) == []


@pytest.fixture
def elsewhere(given, monkeypatch, capsys):
    """Return a function that runs a cell in a process of its own, and returns what is printed."""
    names = {"training_ids": np.arange(13, dtype=np.int32), "vocab": "abc"}
    monkeypatch.setattr(given, "get_ipython", lambda: SimpleNamespace(user_ns=names))

    def run(package, cell):
        given.elsewhere(package, cell)
        return capsys.readouterr().out

    return run


def test_a_cell_runs_elsewhere_with_the_batches_of_the_text(elsewhere):
    cell = "print(C, [(x.tolist(), y.tolist()) for x, y in batches(2, 3, 3)])"
    assert elsewhere("numpy", cell) == (
        "3 [([[0, 1, 2], [6, 7, 8]], [[1, 2, 3], [7, 8, 9]]), "
        "([[3, 4, 5], [9, 10, 11]], [[4, 5, 0], [10, 11, 6]]), "
        "([[0, 1, 2], [6, 7, 8]], [[1, 2, 3], [7, 8, 9]])]\n"
    )


def test_a_cell_does_not_run_elsewhere_without_a_text(given, monkeypatch, capsys):
    monkeypatch.setattr(given, "get_ipython", lambda: SimpleNamespace(user_ns={}))
    given.elsewhere("numpy", "1 / 0")
    assert capsys.readouterr().out.startswith("This cell needs training_ids")


@pytest.mark.parametrize(
    "package, cell, said",
    [
        (
            "no_such_package",
            "1 / 0",
            "Not run: the package no_such_package is not installed here.\n",
        ),
        (
            "numpy",
            "next(batches(2, 7, 1))",
            "Not run: the text has 13 characters to train on, fewer than 2 x 7.\n",
        ),
        ("numpy", "1 / 0", "ZeroDivisionError: division by zero\n"),
    ],
)
def test_a_cell_that_fails_elsewhere_says_why(elsewhere, package, cell, said):
    assert elsewhere(package, cell).endswith(said)


def test_a_cell_runs_with_the_python_that_is_named(elsewhere, monkeypatch):
    monkeypatch.setenv("BRIDGE_PYTHON", "/bin/echo")
    assert elsewhere("numpy", "1 / 0").startswith("-c")


@pytest.fixture
def explained(given, monkeypatch, capsys):
    """Return a function that explains an exception in a notebook; it returns what is printed and what is shown."""
    monkeypatch.chdir(FOLDER)

    def explain(error):
        tracebacks = []
        shell = SimpleNamespace(
            user_ns={"edge": 1},
            showtraceback=lambda error, tb_offset: tracebacks.append(error[1]),
        )
        given.explain_missing(shell, type(error), error, None)
        return capsys.readouterr().out, tracebacks

    return explain


@pytest.mark.parametrize("name", ["checkpoints", "fresh_folder"])
def test_what_a_cell_above_defines_is_named(explained, name):
    said, tracebacks = explained(NameError(f"name '{name}' is not defined"))
    assert f"needs {name}, which" in said
    assert not tracebacks


@pytest.mark.parametrize(
    "error",
    [
        NameError("name 'retrun' is not defined"),
        NameError("name 'edge' is not defined"),
        UnboundLocalError("local variable 'checkpoints' referenced before assignment"),
    ],
)
def test_other_exceptions_are_shown(explained, error):
    assert explained(error) == ("", [error])


def test_colours_reach_from_the_lowest_to_the_highest_value_of_a_unit(given, shown):
    given.coloured("ab\ncd", np.array([0.1, -0.2, 0.0, 0.05, 0.2]), "unit 3")
    ((figure, alt),) = shown
    (image,) = figure.axes[0].images
    assert image.get_clim() == (-0.2, 0.2)
    red, _, blue, _ = image.cmap(0.0)
    assert red > blue
    red, _, blue, _ = image.cmap(1.0)
    assert blue > red
    assert image.cmap(0.5)[:3] == pytest.approx([1, 1, 1], abs=0.01)
    assert alt.startswith("unit 3. A passage of 5 characters")


def test_a_unit_without_values_is_white(given, shown):
    given.coloured("ab", np.zeros(2), "unit 3")
    ((figure, _),) = shown
    (image,) = figure.axes[0].images
    assert image.get_clim() == (-1, 1)


LOSSES = np.linspace(4, 2, 60)
LENGTHS = np.stack([np.linspace(1, 0.1, 40), np.linspace(2, 1, 40)])
PICTURES = {  # by the function: its arguments, and words that come with the picture
    "plot_by_heart": ((LOSSES, 4.4), "from 4.00 to 2.000"),
    "plot_faults": (
        ({"program A": LOSSES, "program B": LOSSES + 1}, LOSSES - 1),
        "program B 3.83",
    ),
    "plot_losses": (
        (LOSSES, [(30, 2.5), (60, 2.25)], 30, {"even guessing": 4.4}, ([], [])),
        "ends at 2.25",
    ),
    "plot_clipping": (
        ({"norm, larger": np.array([[1, 4.0]]), "clipped": np.array([LOSSES, LOSSES])}, [1, 50]),
        "larger, at the end: 4;",
    ),
    "plot_reach": (
        ({"plain cell": LENGTHS[:1], "LSTM": LENGTHS},),
        "along c      0.885 after 10",
    ),
    "plot_gates": (
        (np.full([3, 9, 3], 0.75), ["(of)(of)", "(of)[of]", "(of){of}"]),
        "after [: tanh(c) from 0.75 to 0.75, f 0.750",
    ),
    "plot_rates": (
        ({"0.01": LOSSES, "0.1": LOSSES + 1}, 2.5),
        "rate 0.1     loss of the last 50 steps 3.07",
    ),
    "plot_fits": (
        ({"8 units": np.array([[3, 2.5], [3.1, 2.75]]), "9 units": np.ones([2, 2])},),
        "end at 2.50 and 2.75",
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_comes_with_its_numbers_in_words(given, shown, name):
    arguments, words = PICTURES[name]
    getattr(given, name)(*arguments)
    ((_, alt),) = shown
    assert words in alt


def test_a_rate_that_jumps_does_not_squeeze_the_others(given, shown):
    given.plot_rates({"0.01": LOSSES, "1": LOSSES + 100}, 2.5)
    ((figure, _),) = shown
    assert [axes.get_ylim()[1] for axes in figure.axes] == [5, 5]
    (said,) = figure.axes[1].texts
    assert said.get_text() == "above the picture:\nup to 104, 102 at the end"


def test_words_that_are_real(given):
    assert given.share_of_real_words("The cat zat.", {"the", "cat"}) == pytest.approx(2 / 3)
    assert given.share_of_real_words("?", {"the"}) == 0


def test_a_quotation_that_is_not_closed_ends_with_its_paragraph(given):
    inside = given.properties_of('a "b\nc\n\n"d" e')["inside a quotation"]
    assert inside.tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0]


def test_a_unit_that_follows_a_property_has_the_correlation_one(given):
    values = given.properties_of('a "bc" d\nE')["inside a quotation"]
    assert values.tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 0, 0]
    memory = np.stack([values, -values, np.arange(10)], axis=1)
    follows, opposes, _ = given.correlations(memory, values)
    assert follows == pytest.approx(1, abs=1e-6)
    assert opposes == pytest.approx(-1, abs=1e-6)
