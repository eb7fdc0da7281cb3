"""The guards of the pages, run by node, against those of Python."""

import base64
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, copying

from charrnn.checkpoints.writing import Writing
from charrnn.engines.guards import Guards
from charrnn.text import lexicon
from charrnn.text.corpus import Text
from pages.small_pages import random_network

HERE = Path(__file__).resolve().parent
DIARY = (ROOT / "tests" / "data" / "voices" / "diary.txt").read_text(encoding="utf-8")
# Digits, letters and signs of several scripts, apostrophes, and characters of two halves.
STRANGE = (
    "Ja; nein: doch… wie? so! (wo) «da» – —. "
    "Д'Артаньян x² 4² ٣٤ l’été 'quoted' „Ünïcode“ ǅ don't 𝔘𝔫𝔦 I. Ilık. ÉTÉ_un 𝔘𝔫𝔦 कि 12th 漢字。\n"
    * 3
)
ALL = {"no_copy": 20, "no_repeat": 14, "known_words": True}
GUARDS = [ALL, {"no_copy": 20}, {"no_repeat": 14}, {"known_words": True}]
GUARDS += [{"no_copy": 20, "known_words": True}]
# what is held while a text is written
GUARDS += [{"steer": {"inside quotation marks": 1.5}}, {"steer": {"inside quotation marks": 0.4}}]
GUARDS += [{"steer": {"position in the line": -0.5}}]

pytestmark = pytest.mark.skipif(
    not shutil.which("node"), reason="node is not installed: apt-get install nodejs"
)


def model_of(training):
    """Return a network that knows a text, and half of its words as those of a language."""
    words = sorted(lexicon.forms_of(training))[::2]
    network = random_network(sorted({*training, *"aNZ; '.\n"}), 5, 1)
    return replace(network, train_text=Text("own", training), words=lexicon.pack(words))


def cases_of(model, training):
    """Return texts: parts of the training text, some with other ends, and some that would copy it and its loops."""
    random = np.random.RandomState(1)
    texts = ["", " ", "'", "a; "]
    for _ in range(200):
        start, length = random.randint(0, len(training)), random.randint(1, 60)
        text = training[start : start + length]
        texts += [text, text + str(random.choice(model.vocabulary.chars))]
    for seed in range(3):
        written = model.write(training[:2], 500, seed=seed, allow=copying(training))
        texts += [written[:end] for end in range(25, len(written), 7)]
        guarded = model.write(training[:2], 500, seed=seed, allow=copying(training), **ALL)
        texts += [guarded[:end] for end in range(2, len(guarded), 3)]
    cases = []
    for number, text in enumerate(texts):
        cases.append((text, GUARDS[number % len(GUARDS)]))
    # where a word can be ended by a copy only
    for match in re.finditer(r"\w{7,}", training):
        start = max(0, match.end() - 21)
        cases.append((training[start : match.end() - 4], ALL))
    return cases


def run_in_node(folder, model, training, cases):
    _, hashes = model.carried_for_guards()
    request = {
        "chars": model.vocabulary.chars,
        "words": lexicon.unpack(model.words),
        "training": training,
        "hashes": base64.b64encode(hashes).decode(),
        "cases": [{"text": text, "settings": in_page(how)} for text, how in cases],
    }
    (folder / "request.json").write_text(json.dumps(request))
    answer = folder / "answer.json"
    subprocess.run(
        ["node", str(HERE / "run_guards.js"), str(folder / "request.json"), str(answer)], check=True
    )
    return json.loads(answer.read_text())


def in_page(how):
    """Return guards by their names in the pages."""
    names = {"no_copy": "noCopy", "no_repeat": "noRepeat", "known_words": "knownWords"}
    named = {names[name]: value for name, value in how.items() if name in names}
    for direction, value in how.get("steer", {}).items():
        named.update(direction=direction, value=value)
    return named


@pytest.mark.parametrize("training", [DIARY, STRANGE], ids=["diary", "strange"])
def test_node_allows_what_python_allows(tmp_path, training):
    model = model_of(training)
    cases = cases_of(model, training)
    answer = run_in_node(tmp_path, model, training, cases)
    _, hashes = model.carried_for_guards()
    assert base64.b64decode(answer["packed"]) == hashes
    assert base64.b64decode(answer["again"]) == hashes

    n_forbidden = dict.fromkeys(range(len(GUARDS)), 0)
    logits = np.zeros((1, len(model.vocabulary)), np.float32)
    for (text, how), mask in zip(cases, answer["masks"]):
        guards = Guards(model._guards(Writing().changed(how)))
        [left] = guards.process(logits, logits, [text])
        expected = "".join("1" if logit == 0 else "0" for logit in left)
        assert mask == expected, (text, how)
        n_forbidden[GUARDS.index(how)] += "0" in mask
    assert min(n_forbidden.values()) > 5, n_forbidden
