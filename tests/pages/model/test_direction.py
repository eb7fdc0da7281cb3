"""A page that leads with a direction: it holds this as Python does, and shows what the probe reads."""

import json

import numpy as np
import pytest
from conftest import CHARS

from charrnn.checkpoints.writing import Writing
from charrnn.engines.sampler import Sampler
from charrnn.inspection import steered
from charrnn.pages import webpage
from charrnn.pages.page_data import PageData
from charrnn.pages.stored import store, stored_model
from charrnn.text.corpus import Text
from pages.browser import in_browser
from pages.model.reference import whole
from pages.small_pages import UNREAD, content_of, data_of, export_random, random_network, script_of

pytestmark = in_browser

# Random letters, of which a small random network knows the last one.
LETTERS = "".join(np.random.RandomState(1).choice(list("acdehmnost    "), 5000))
NAME = "after a vowel"
SETTINGS = Writing(0.5, 5)
# nearer to the means than most directions
ENDS = (-0.25, 1.0)


@pytest.fixture(scope="module")
def network():
    """A network with the weights of its page, and its directions."""
    made = random_network(CHARS, 17, gain=0.7, seed=7)
    # With spaces, since a text ends with a whole word.
    made.weights["softmax/Variable_1"][CHARS.index(" ")] += 3
    made = stored_model(made, store(made, "float16"))
    made.train_text = Text("letters", LETTERS)
    return made


@pytest.fixture(scope="module")
def page(network, tmp_path_factory):
    """Its page, with a direction in front of a number of which nothing is told."""
    path = tmp_path_factory.mktemp("page") / "direction.html"
    export_random(network, path)
    data = data_of(path)
    told = steered.ToldDirection(NAME, network.directions()[NAME], ENDS, None, {}, {}, {})
    data["directions"] = [told.as_json()]
    prime = data["opening"]["prime"]
    data["opening"]["seed"] = 3
    data["discoveries"] = [
        {
            "unit": NAME,
            "feature": NAME,
            "ends": ["consonants", "vowels"],
            "sentence": "Slide from *consonants* to *vowels*.",
            "told": {
                "words": [["t"], ["h"]],
                "counts": [[9, 1], [5, 5], [1, 9]],
                "texts": 64,
                "sign": "\n",
                "seen": {prime: 29, "a": 31},
            },
            "correlation": 0.9,
            "untrained": None,
            "seed": 3,
            "texts": ["not", "yet"],
        },
        {
            "unit": "2/c/3",
            "feature": "end of a word",
            "ends": ["no", "yes"],
            "sentence": "One of the 68 numbers.",
            "told": None,
            "correlation": 0.5,
            "untrained": 0.1,
            "seed": None,
            "texts": None,
        },
    ]
    network = json.loads(script_of(content_of(path), "weights"))
    content = webpage.render(PageData(**data), network, UNREAD)
    path.write_text(content, encoding="utf-8")
    return path


def held_in_python(network, prime, strength, length=200):
    steering = network.steered({NAME: strength})
    [sample] = Sampler(network.engine(), steering=steering).write(prime, length, SETTINGS, seed=3)
    return whole(prime + sample.text, prime)


def test_the_two_texts_and_the_one_are_those_of_python(open_page, page, network):
    view = open_page(page).ready()
    prime = view.js("textOf(state.take.prime)")
    assert view["claim"].text == "Slide from consonants to vowels."
    assert [view["left"].text, view["right"].text] == ["consonants", "vowels"]
    assert view.shown("low") == held_in_python(network, prime, -0.25)
    assert view.shown("high") == held_in_python(network, prime, 1.0)
    assert view.shown("low") != view.shown("high")
    assert "the ends are at −0.25 and +1.00." in view["evidence"].text
    assert "at least 29 of 32 texts after each of 2 beginnings" in view["hold-said"].text

    view.set("hold", 0.6)
    assert view.held() == held_in_python(network, prime, 0.75)
    assert "Held at 80% of the way to vowels" in view["hold-said"].text
    other = open_page(page, fragment=view.js("location.hash")).ready()
    assert other.held() == held_in_python(network, prime, 0.75)
    other.assert_nothing_wrong()


def test_the_free_text_is_coloured_by_what_the_probe_reads(open_page, page, network):
    view = open_page(page).ready()
    ids = network.vocabulary.encode(view.written())
    states, _ = network.engine().activations(ids, network.engine().zero_state())
    memories = states[:, ::2].reshape(len(ids), -1)
    direction = network.directions()[NAME]
    strengths = (memories @ direction.probe - direction.outside) / (
        direction.inside - direction.outside
    )
    start = view.js("state.take.start")
    expected = np.clip(strengths - 0.5, -1, 1)[start:]
    np.testing.assert_allclose(view.alphas("opening", start), expected, atol=0.006)


def test_the_single_number_comes_second(open_page, page):
    view = open_page(page).ready()
    assert "One number alone: One of the 68 numbers." in view["alone"].text
    view.click("show-alone")
    assert view.js("state.watched.unit") == "2/c/3"
    assert not view["alone"].is_displayed()
    view.click("another")
    assert view.js("state.watched.unit") == NAME
    assert view["alone"].is_displayed()
