"""What the notebooks are given: texts broken between words, colours scaled to a unit, words for each picture."""
import answers  # noqa: F401  # which adds the notebooks' folder to sys.path
import numpy as np
import pytest


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


def test_long_lines_break_between_words(given, capsys):
    text = "word " * 30 + "\n\n" + "short-lived line"
    given.show_text(text)
    lines = capsys.readouterr().out.split("\n")
    assert max(map(len, lines)) <= given.COLUMNS and " ".join(lines).split() == text.split()
    assert lines[-3:] == ["", "short-lived line", ""]


def test_colours_reach_from_the_lowest_to_the_highest_value_of_a_unit(given, shown):
    given.coloured("ab\ncd", np.array([0.1, -0.2, 0.0, 0.05, 0.2]), "unit 3")
    (figure, alt), = shown
    image, = figure.axes[0].images
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
    given.plot_losses(losses, [(30, 2.5), (60, 2.25)], 2, {"even guessing": 4.4}, ([], []))
    given.plot_fits({"8 units": np.array([[3, 2.5], [3.1, 2.75]]), "9 units": np.ones([2, 2])})
    numbers = ["from 4.00 to 2.000", "program B 3.83", "ends at 2.25", "end at 2.50 and 2.75"]
    assert len(shown) == 4 and all(number in alt for (_, alt), number in zip(shown, numbers))


def test_words_that_are_real(given):
    assert given.share_of_real_words("The cat zat.", {"the", "cat"}) == pytest.approx(2 / 3)
    assert given.share_of_real_words("?", {"the"}) == 0


def test_a_unit_that_follows_a_property_has_the_correlation_one(given):
    values = given.properties_of('a "bc" d\nE')["inside a quotation"]
    assert values.tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 0, 0]
    memory = np.stack([values, -values, np.arange(10)], axis=1)
    assert given.correlations(memory, values)[:2] == pytest.approx([1, -1], abs=1e-6)
