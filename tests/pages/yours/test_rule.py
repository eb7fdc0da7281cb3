"""The rule and the counts of the page of a text of one's own, in node, against those of the package."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import charrnn
from charrnn.engines.reader import Reader
from charrnn.hyperparameters import Hyperparameters, learning_rate_at
from charrnn.pages.yours import LEAST, MOST
from charrnn.text.novelty import compare
from charrnn.training.presets import auto_from_model, table_from_model

YOURS = Path(charrnn.__file__).parent / "pages" / "yours"

pytestmark = pytest.mark.skipif(
    not shutil.which("node"), reason="node is not installed: apt-get install nodejs"
)


def answered(module, names, expression, *arguments):
    """Return what an expression of functions of a module is in node; the arguments are called a, b and c."""
    program = (
        f"const {{ {names} }} = require({json.dumps(str(YOURS / module))}); const [a, b, c] = JSON.parse("
        f"require('fs').readFileSync(0)); console.log(JSON.stringify({expression}))"
    )
    answer = subprocess.check_output(["node", "-e", program], input=json.dumps(arguments).encode())
    return json.loads(answer.decode())


@pytest.fixture(scope="module")
def table():
    return table_from_model(LEAST, MOST)


def test_a_text_of_any_length_is_trained_with_what_auto_sets(table):
    lengths = [LEAST, 2_222, 6_001, 15_000, 29_999, 48_000, 55_555, MOST]
    rules = answered("rule.js", "ruleFor", "b.map((length) => ruleFor(a, length))", table, lengths)
    for length, rule in zip(lengths, rules):
        expected = auto_from_model(length)
        # The sizes are those of the model.
        del expected["lstm_size"]
        assert rule == expected


def test_the_learning_rate_is_that_of_the_training(table):
    values = auto_from_model(6_000)
    hyper = Hyperparameters(**values)
    windows = 5_400 // (hyper.batch_size * hyper.num_steps)
    total = windows * hyper.epochs
    rates = answered(
        "rule.js",
        "rateAt, ruleFor",
        "Array.from({ length: b }, (_, update) => rateAt(ruleFor(a, 6000), update, b))",
        table,
        total,
    )
    assert rates == pytest.approx(
        [learning_rate_at(hyper, step, windows) for step in range(total)], rel=1e-12
    )


LEARNED = "Milo waters the leeks, and the leeks grow. Ännchen's bees are late.\nMilo sits." * 3
WRITTEN = (
    "Milo said: the leeks, and the leeks are ännchen's. The prince sits down and waters 99 bees"
)
LANGUAGE = "the prince said and waters are down"


def test_own_words_and_what_is_copied_are_counted_as_in_python():
    words = LANGUAGE.split()
    judge = json.dumps(str(YOURS.parent / "shared" / "judge.js"))
    counts = answered(
        "whose.js",
        "marked",
        f"marked(b, new (require({judge}).Reader)({{ training: a, words: c }}))",
        LEARNED,
        WRITTEN,
        words,
    )
    own = Reader(LEARNED, words).share_of_own(WRITTEN)
    assert counts["ownWords"] / counts["words"] == pytest.approx(own)
    assert counts["copiedRuns"] / counts["runs"] == pytest.approx(compare(WRITTEN, LEARNED).share)
    assert counts["copiedRuns"] > 0
    assert "".join(part["text"] for part in counts["parts"]) == WRITTEN
    assert {"Milo", "leeks"} <= {part["text"] for part in counts["parts"] if part["isOwn"]}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("wren: yes\notto: no\nwren: so\n" * 9, ["wren: ", "otto: "]),
        (
            "Dear Ann,\n\nI wrote.\n\nDear Bo,\n\nI slept.\n\nDear Cy,\n\nI left.\n\n",
            ["Dear ", "I "],
        ),
        ("12:30\n13:40\n" * 9, ["\n"]),
        ("one\ntwo\nthree\n", ["\n"]),
    ],
)
def test_a_text_begins_as_its_paragraphs_do(text, expected):
    assert answered("material.js", "beginningsOf", "beginningsOf(a)", text) == expected
