"""What the notebooks are given: texts broken between words, colours scaled to a unit, words for each picture."""

from types import SimpleNamespace

import numpy as np
import pytest
from answers import FOLDER

from charrnn.engines.model_file import open_model
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
    found = []
    monkeypatch.setattr(given, "show", lambda figure, alt: found.append((figure, alt)))
    yield found
    for figure, _ in found:
        given.plt.close(figure)


def test_long_lines_break_between_words_and_show_it(given, capsys):
    text = "word " * 30 + "\n\n" + "short-lived line"
    given.show_text(text)
    lines = capsys.readouterr().out.split("\n")
    assert (
        max(map(len, lines)) <= given.COLUMNS
        and " ".join(lines).replace("↳", "").split() == text.split()
    )
    assert lines[1].startswith("  ↳ word") and lines[-3:] == ["", "short-lived line", ""]


def test_bars_begin_at_the_bigrams_and_several_losses_come_with_their_spread(given, capsys):
    given.show_losses({"even guessing": 4.4, "bigrams": 2.5, "LSTM": [2.0, 2.1, 2.2], "best": 1.5})
    lines = capsys.readouterr().out.splitlines()
    assert [line.count("█") for line in lines] == [0, 0, 9, 22]
    assert "2.100 (2.000 to 2.200)" in lines[2] and "to" not in lines[3]


def test_an_experiment_is_measured_or_shows_what_was_stored(given, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(given, "STORED", str(tmp_path / "measured.json"))
    monkeypatch.setattr(given, "_measured", {})
    assert given.measured("gates", True, {"LSTM": lambda: [1.5, 2.0]})["LSTM"].tolist() == [
        1.5,
        2.0,
    ]
    given.store_measured()
    assert capsys.readouterr().out == ""
    stored = given.measured("gates", False, {"LSTM": lambda: 1 / 0})
    assert (
        stored["LSTM"].tolist() == [1.5, 2.0]
        and "those of the solution's run" in capsys.readouterr().out
    )


def test_shares_come_in_percent_with_the_lowest_and_highest_of_the_seeds(given, capsys):
    given.show_shares(
        ["LSTM", "counts"], [5, 40], np.array([[[1, 0.9], [0.3, 0.2]], [[1, 1], [0.5, 0.4]]])
    )
    assert [line.split() for line in capsys.readouterr().out.splitlines()[2:]] == [
        "LSTM 100 (100 to 100) 95 (90 to 100)".split(),
        "counts 40 (30 to 50) 30 (20 to 40)".split(),
    ]


def test_a_file_is_loaded_with_one_piece_changed(given, tmp_path):
    path = tmp_path / "one.py"
    path.write_text("def f(x):\n    return x + 1\n")
    assert (
        given.module_of(str(path), "", "").f(1) == 2
        and given.module_of(str(path), "+ 1", "- 1").f(1) == 0
    )
    for piece, number in [("+ 2", 0), ("x", 2)]:
        with pytest.raises(ValueError, match=f"is {number} times in .*one.py, not once"):
            given.module_of(str(path), piece, "y")


def test_an_answer_unfolds_once_there_is_a_prediction(given, monkeypatch, capsys):
    monkeypatch.chdir(FOLDER)
    shown = []
    monkeypatch.setattr(given, "display", lambda data, raw: shown.append(data))
    for nothing in (..., None, " "):
        given.unfold("bigram", nothing)
    assert not shown and capsys.readouterr().out.count("Write your prediction") == 3
    given.unfold("bigram", 0)
    assert "<details>" in shown[0]["text/html"] and "<code>q</code>" in shown[0]["text/html"]
    assert "after `q` there" in shown[0]["text/plain"].replace("\n", " ")


def test_the_shipped_model_stands_in_for_a_run(given, tmp_path, capsys):
    vocab = open_model("anna").vocabulary.chars
    folder = str(tmp_path / "run")
    assert given.find_run([], folder, vocab, None, CharRNN) == []
    assert "There is no trained network for this text yet" in capsys.readouterr().out
    found = given.find_run([], folder, vocab, "anna", CharRNN)
    size, layers = given.sizes_of(found[-1])
    # Adam's averages included
    CharRNN(len(vocab), lstm_size=size, num_layers=layers, sampling=True)
    with tf.Session() as session:
        tf.train.Saver().restore(session, found[-1])
        weights = session.run("softmax/Variable:0")
    assert np.array_equal(weights, open_model("anna").weights["softmax/Variable"])
    assert given.find_run([], folder, vocab, None, CharRNN) == found  # the newest run there is
    assert given.find_run([], folder, vocab[1:], None, CharRNN) == []  # of another text
    assert given.find_run([], folder, vocab[1:], "anna", CharRNN) == []


def cells_of(given, monkeypatch, **names):
    """Let a notebook have some names."""
    monkeypatch.setattr(given, "get_ipython", lambda: SimpleNamespace(user_ns=names))


def test_a_cell_runs_elsewhere_where_its_package_is_installed(given, capsys, monkeypatch):
    cells_of(given, monkeypatch)
    given.elsewhere("numpy", "1 / 0")
    cells_of(given, monkeypatch, training_ids=np.arange(13, dtype=np.int32), vocab="abc")
    given.elsewhere("no_such_package", "1 / 0")
    given.elsewhere("numpy", "print(C, [(x.tolist(), y.tolist()) for x, y in batches(2, 3, 3)])")
    given.elsewhere("numpy", "next(batches(2, 7, 1))")
    given.elsewhere("numpy", "1 / 0")
    monkeypatch.setenv("BRIDGE_PYTHON", "/bin/echo")
    given.elsewhere("numpy", "1 / 0")
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert lines[0].startswith("This cell needs training_ids")
    assert lines[2:5] == [
        "Not run: the package no_such_package is not installed here.",
        "3 [([[0, 1, 2], [6, 7, 8]], [[1, 2, 3], [7, 8, 9]]), "
        "([[3, 4, 5], [9, 10, 11]], [[4, 5, 0], [10, 11, 6]]), "
        "([[0, 1, 2], [6, 7, 8]], [[1, 2, 3], [7, 8, 9]])]",
        "Not run: the text has 13 characters to train on, fewer than 2 x 7.",
    ]
    assert "ZeroDivisionError: division by zero\n-c" in said


def test_what_a_cell_above_defines_is_named_and_other_exceptions_are_shown(
    given, monkeypatch, capsys
):
    monkeypatch.chdir(FOLDER)
    shown = []
    shell = SimpleNamespace(
        user_ns={"edge": 1}, showtraceback=lambda error, tb_offset: shown.append(error[1])
    )
    errors = [
        NameError(f"name '{name}' is not defined")
        for name in ("checkpoints", "fresh_folder", "retrun", "edge")
    ]
    for error in (
        *errors,
        UnboundLocalError("local variable 'checkpoints' referenced before assignment"),
    ):
        given.explain_missing(shell, type(error), error, None)
    said = capsys.readouterr().out
    assert (
        "needs checkpoints, which" in said
        and "needs fresh_folder, which" in said
        and said.count("needs") == 2
    )
    assert [type(error) for error in shown] == [NameError, NameError, UnboundLocalError]


def test_colours_reach_from_the_lowest_to_the_highest_value_of_a_unit(given, shown):
    given.coloured("ab\ncd", np.array([0.1, -0.2, 0.0, 0.05, 0.2]), "unit 3")
    ((figure, alt),) = shown
    (image,) = figure.axes[0].images
    assert image.get_clim() == (-0.2, 0.2)
    red, _, blue, _ = image.cmap(0.0)
    assert red > blue and image.cmap(1.0)[2] > image.cmap(1.0)[0]
    assert image.cmap(0.5)[:3] == pytest.approx([1, 1, 1], abs=0.01)
    assert alt.startswith("unit 3. A passage of 5 characters")


def test_a_unit_without_values_is_white(given, shown):
    given.coloured("ab", np.zeros(2), "unit 3")
    assert shown[0][0].axes[0].images[0].get_clim() == (-1, 1)


def test_pictures_come_with_their_numbers_in_words(given, shown):
    losses = np.linspace(4, 2, 60)
    given.plot_by_heart(losses, 4.4)
    given.plot_faults({"program A": losses, "program B": losses + 1}, losses - 1)
    given.plot_losses(losses, [(30, 2.5), (60, 2.25)], 30, {"even guessing": 4.4}, ([], []))
    given.plot_clipping(
        {"norm, larger": np.array([[1, 4.0]]), "clipped": np.array([losses, losses])}, [1, 50]
    )
    lengths = np.stack([np.linspace(1, 0.1, 40), np.linspace(2, 1, 40)])
    given.plot_reach({"plain cell": lengths[:1], "LSTM": lengths})
    given.plot_gates(np.full([3, 9, 3], 0.75), ["(of)(of)", "(of)[of]", "(of){of}"])
    given.plot_rates({"0.01": losses, "0.1": losses + 1}, 2.5)
    given.plot_fits({"8 units": np.array([[3, 2.5], [3.1, 2.75]]), "9 units": np.ones([2, 2])})
    numbers = [
        "from 4.00 to 2.000",
        "program B 3.83",
        "ends at 2.25",
        "larger, after 50 steps: 4;",
        "along c      0.885 after 10",
        "after [: tanh(c) from 0.75 to 0.75, f 0.750",
        "rate 0.1     loss of the last 50 steps 3.07",
        "end at 2.50 and 2.75",
    ]
    assert len(shown) == 8 and all(number in alt for (_, alt), number in zip(shown, numbers))


def test_words_that_are_real(given):
    assert given.share_of_real_words("The cat zat.", {"the", "cat"}) == pytest.approx(2 / 3)
    assert given.share_of_real_words("?", {"the"}) == 0


def test_a_unit_that_follows_a_property_has_the_correlation_one(given):
    values = given.properties_of('a "bc" d\nE')["inside a quotation"]
    assert values.tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 0, 0]
    memory = np.stack([values, -values, np.arange(10)], axis=1)
    assert given.correlations(memory, values)[:2] == pytest.approx([1, -1], abs=1e-6)
