"""The reader of the pages, run by node, against that of Python."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from charrnn.data import Vocabulary
from charrnn.engines.quotes import PairedQuotes
from charrnn.engines.reader import Rank, Reader
from charrnn.text import pieces

HERE = Path(__file__).resolve().parent
DIARY = (ROOT / "tests" / "data" / "voices" / "diary.txt").read_text(encoding="utf-8")
# Digits, letters and signs of several scripts, apostrophes, and characters of two halves.
STRANGE = (
    "Ja; nein: doch… wie? so! «da» – —. "
    "Д'Артаньян x² 4² ٣٤ l’été 'quoted' „Ünïcode“ ǅ don't 𝔘𝔫𝔦 I. Ilık. ÉTÉ_un 𝔘𝔫𝔦's कि 12th 漢字。\n"
    * 3
)
PROGRAM = "for (i = 0; i < n; i++) { f(x[i]); }\n" * 20
QUOTED = 'He said: "No." Don\'t. «Да», „ja“ and ‘so’ "again\n\n" (so) "'

pytestmark = pytest.mark.skipif(
    not shutil.which("node"), reason="node is not installed: apt-get install nodejs"
)


def run_in_node(folder, **request):
    (folder / "request.json").write_text(json.dumps(request))
    answer = folder / "answer.json"
    command = ["node", str(HERE / "run_judge.js"), str(folder / "request.json"), str(answer)]
    subprocess.run(command, check=True)
    return json.loads(answer.read_text())


def cases_of(training):
    """Return parts of a text, with letters that are exchanged in some, and what they repeat."""
    random = np.random.RandomState(1)
    cases = []
    for number in range(20):
        start, length = random.randint(0, len(training) // 2), random.randint(1, 60)
        before = training[start : start + 5 * length]
        sentence = training[start + 4 * length : start + 5 * length]
        if number % 2:
            sentence = sentence.replace("e", "o", 3)
        cases.append([before, sentence, -0.1 * number, number % 3 > 0])
    return cases


@pytest.mark.parametrize(
    "training, has_words, of_lines",
    [
        (DIARY, True, False),
        (DIARY, False, False),
        (DIARY, True, True),
        (STRANGE, True, False),
        (PROGRAM, True, False),
        ("漢字。" * 99, True, False),
        ("", True, False),
    ],
)
def test_node_ranks_as_python_does(tmp_path, training, has_words, of_lines):
    words = sorted(set(pieces.words(training or DIARY)))[::2] if has_words else None
    cases = cases_of(training or DIARY)
    reader = {"training": training, "words": words, "ofLines": of_lines}
    answer = run_in_node(tmp_path, reader=reader, cases=cases, chars=[], held=[])

    of_python = Reader(training, words, of_lines)
    for case, rank in zip(cases, answer["ranks"]):
        expected = of_python.rank(*case)
        assert Rank(rank["isWhole"], -rank["faults"], pytest.approx(rank["expected"])) == expected
    if training == DIARY:
        assert len({rank["faults"] for rank in answer["ranks"]}) > 5


@pytest.mark.parametrize("name", ["inside quotation marks", "position in the line"])
@pytest.mark.parametrize("value", [-0.5, 0.4, 1.5])
def test_node_allows_the_quotation_marks_that_python_allows(tmp_path, name, value):
    vocabulary = Vocabulary(sorted(set(QUOTED)))
    texts = [QUOTED[:end] for end in range(len(QUOTED))]
    held = [[text, {"direction": name, "value": value}] for text in texts]
    reader = {"training": "", "words": None}
    answer = run_in_node(tmp_path, reader=reader, cases=[], chars=list(vocabulary.chars), held=held)
    quotes = PairedQuotes(vocabulary, {name: value})
    assert answer["masks"] == [quotes.allowed(text).tolist() for text in texts]
    assert not all(map(all, answer["masks"]))
