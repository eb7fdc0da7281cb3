"""What the tests of the page of a model share."""

from unittest import mock

import pytest

from charrnn.checkpoints.writing import Writing
from charrnn.engines.opening import open_model
from charrnn.inspection import units
from charrnn.inspection.steered import Trial
from charrnn.pages import webpage
from charrnn.pages.stored import store, stored_model
from charrnn.text import features
from pages.model.reference import NAME, made_direction, made_up
from pages.small_pages import export_random, random_network, sooner_written


@pytest.fixture(scope="session")
def model(exported):
    """The small trained run, as an exported model."""
    return open_model(exported)


@pytest.fixture
def target(tmp_path):
    """Where a test writes a page."""
    return tmp_path / "page.html"


@pytest.fixture(scope="session")
def rounded(model):
    """The small model with the weights of its page."""
    return stored_model(model, store(model, "float16"))


@pytest.fixture(scope="session")
def engine(rounded):
    """The NumPy engine with the weights of the small page."""
    return rounded.engine()


@pytest.fixture(scope="session")
def direction(rounded):
    """The direction of the small page."""
    return made_direction(rounded)


@pytest.fixture(scope="session")
def small_page(model, rounded, direction, tmp_path_factory):
    """The page of a network that is too small to discover much: it has a made-up direction, and what tracks at all."""
    path = tmp_path_factory.mktemp("page") / "small.html"

    def discoveries(measured, _):
        of_units = {}
        for tracking, *_ in measured.best(1, least=0.05):
            if features.BY_NAME[tracking.feature].claim or abs(tracking.correlation) < 0.5:
                of_units[tracking.unit] = (tracking, 0.12)
        return list(of_units.values())[:2]

    def told(trial):
        return [made_up(rounded, direction, trial.primes, Writing(0.5, 5))]

    with mock.patch.object(units.Measured, "discoveries", discoveries), mock.patch.object(
        webpage, "find_directions", return_value={NAME: direction}
    ), mock.patch.object(Trial, "told", told), sooner_written():
        webpage.export_page(model, path)
    return path


@pytest.fixture
def view(open_page, small_page):
    opened = open_page(small_page).ready()
    yield opened
    opened.assert_nothing_wrong()


@pytest.fixture
def open_random(open_page, target):
    """A function that opens the page of a network of random weights that knows some characters."""

    def opened(chars, **sizes):
        export_random(random_network(chars, **sizes), target)
        return open_page(target).ready()

    return opened
