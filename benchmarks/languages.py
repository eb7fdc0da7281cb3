"""Measure what a short text gains from a model of its language: the table by language of docs/log.md.

``python benchmarks/languages.py FOLDER`` trains on the first 5,000 and 12,000 characters of a text in each language
(six in English), anew and with the model that is chosen, and measures each run's best checkpoint on the 20,000
characters that follow. The texts are no novels: they are those of Debian's packages that ``TEXTS`` names, installed on
this machine. FOLDER keeps what was measured, so that the program goes on where it was interrupted; names after it
measure only these.

``python benchmarks/languages.py --choice`` counts how often the model of the right language is chosen for a piece of
1,000 characters, of these texts and of the novels in the folder that CHARRNN_DATA names, which no model has read.
"""

import gzip
import json
import lzma
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from charrnn import open_model, train_model
from charrnn.checkpoints.find import KNOWN_MODELS
from charrnn.data import Vocabulary
from charrnn.engines.surprisal import surprisal
from charrnn.text.baselines import ngram_nats
from charrnn.text.corpus import Text
from charrnn.training.evaluation import ROWS
from charrnn.training.job import plan_job

LENGTHS = (5_000, 12_000)
FOLLOWING = 20_000
# characters of a piece for which a model is chosen
PIECE = 1_000
# orders of n-gram counts
ORDERS = range(1, 6)
FORTUNES = "/usr/share/games/fortunes"
# Language, of English with a word for the text: Debian's package, and its file. Of manual pages it is the folder, whose
# pages follow on each other by name.
TEXTS = {
    "german": ("fortunes-de", f"{FORTUNES}/de/hauptgericht"),
    "french": (
        "debian-reference-fr",
        "/usr/share/doc/debian-reference-common/docs/debian-reference.fr.txt.gz",
    ),
    "spanish": ("fortunes-es", f"{FORTUNES}/es/sabiduria.fortunes"),
    "russian": ("fortunes-ru", f"{FORTUNES}/ru/education"),
    "italian": ("fortunes-it", f"{FORTUNES}/leggi"),
    "polish": ("fortunes-pl", f"{FORTUNES}/pl/dowcipy"),
    "portuguese": ("fortunes-br", f"{FORTUNES}/brasil"),
    "czech": ("fortunes-cs", f"{FORTUNES}/cs/citace"),
    "hungarian": ("manpages-hu", "/usr/share/man/hu/man1"),
    "romanian": ("manpages-ro", "/usr/share/man/ro/man1"),
    "swedish": ("manpages-sv", "/usr/share/man/sv/man1"),
    "norwegian": ("manpages-nb", "/usr/share/man/nb/man1"),
    "ukrainian": ("manpages-uk", "/usr/share/man/uk/man1"),
    "english": ("manpages", "/usr/share/man/man7"),
    "english optics": (
        "golang-1.24-src",
        "/usr/share/go-1.24/src/testdata/Isaac.Newton-Opticks.txt",
    ),
    "english handbook": (
        "debian-reference-en",
        "/usr/share/doc/debian-reference-common/docs/debian-reference.en.txt.gz",
    ),
    "english verse": ("fortunes", f"{FORTUNES}/songs-poems"),
    "english chats": ("fortunes", f"{FORTUNES}/knghtbrd"),
    "english sayings": ("fortunes", f"{FORTUNES}/food"),
}


def text_of(name):
    """Return the beginning of a text, as long as is needed; of the long handbooks, from their middle on."""
    package, file = TEXTS[name]
    path = Path(file)
    if not path.exists():
        raise SystemExit(f"{path} is missing: apt-get install {package}")
    needed = max(LENGTHS) + FOLLOWING
    if path.is_dir():
        return manual_pages(path, needed)
    if path.suffix == ".gz":
        handbook = gzip.open(str(path), "rt", encoding="utf-8").read()
        middle = len(handbook) // 2
        return handbook[middle : middle + needed]
    return path.read_text(encoding="utf-8")[:needed]


def manual_pages(folder, needed):
    """Return the pages of a folder as ``man`` prints them, until these are enough characters."""
    text = ""
    for page in sorted(folder.iterdir()):
        if len(text) >= needed:
            break
        printed = subprocess.run(
            ["man", "--local-file", "--no-hyphenation", str(page)],
            env={
                "PATH": "/usr/bin:/bin",
                "MANWIDTH": "80",
                "LC_ALL": "C.UTF-8",
                "MAN_KEEP_FORMATTING": "",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        text += printed.stdout.decode("utf-8")
    return text[:needed]


def nats_of_counts(learned, following):
    """Return the lowest nats per character of n-gram counts on what follows."""
    vocabulary = Vocabulary.from_text(learned + following)
    return min(
        ngram_nats(
            vocabulary.encode(learned), vocabulary.encode(following), len(vocabulary), order
        ).mean()
        for order in ORDERS
    )


def nats_of_run(name, learned, following, init_from):
    """Return the nats per character of a run's best checkpoint on what follows, and the model that it began with."""
    with tempfile.TemporaryDirectory() as folder:
        run = str(Path(folder) / "run")
        train_model(
            Text(name, learned),
            run,
            preset="auto",
            init_from=init_from,
            seed=1,
            sample_length=0,
            quiet=True,
        )
        model = open_model(run, best=True)
    unknown = set(following).difference(model.vocabulary.chars)
    known = "".join(char for char in following if char not in unknown)
    nats = surprisal(model.engine(), model.vocabulary.encode(known), ROWS)
    return float(np.mean(nats, dtype=np.float64)), model.run.init_from


def measure(name):
    """Return what is measured of a text: for each length the counts, anew, with a model, and its name."""
    text = text_of(name)
    row = {}
    for length in LENGTHS:
        learned = text[:length]
        following = text[length : length + FOLLOWING]
        counts = nats_of_counts(learned, following)
        anew, _ = nats_of_run(name, learned, following, "none")
        begun, model = nats_of_run(name, learned, following, None)
        row[length] = dict(counts=counts, anew=anew, begun=begun, model=model)
        print(name, length, row[length], flush=True)
    return row


def pieces(language):
    """Return the pieces of a language for which a model is chosen: seven of its text, seven of two novels."""
    text = text_of(language)
    starts = range(0, len(text) - PIECE, len(text) // 7)
    of_text = [text[start : start + PIECE] for start in starts]
    of_novels = []
    for number, starts in ((1, (5_000, 15_000, 25_000, 35_000)), (2, (10_000, 20_000, 30_000))):
        path = Path(os.environ["CHARRNN_DATA"]) / "novels" / f"{language}-novel-{number}.txt.xz"
        novel = lzma.open(str(path), "rt", encoding="utf-8").read()
        of_novels += [novel[start : start + PIECE] for start in starts]
    return of_text[:7] + of_novels


def choices():
    """Count for each language how many of its pieces begin with its model, and print what the others begin with."""
    right = total = 0
    languages = [name for name in TEXTS if " " not in name]
    for language in languages:
        others = []
        for piece in pieces(language):
            # All of the piece is trained on.
            job = plan_job(Text("a piece", piece), dict(val_fraction=0.0), "run", preset="auto")
            model = job.start.model
            chosen = KNOWN_MODELS[model.name].language.lower() if model else "none"
            total += 1
            right += chosen == language
            if chosen != language:
                others.append(chosen)
        print(language, "others:", *others, flush=True)
    print(f"{right} of {total} pieces begin with a model of their language")


def main(folder, *names):
    if folder == "--choice":
        choices()
        return
    for name in names or TEXTS:
        path = Path(folder) / f"{name}.json"
        if not path.exists():
            path.write_text(json.dumps(measure(name)), encoding="utf-8")

    print("| name | text | model | 5,000: counts | anew | begun | 12,000: counts | anew | begun |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, (package, path) in TEXTS.items():
        measured = Path(folder) / f"{name}.json"
        if measured.exists():
            rows = json.loads(measured.read_text(encoding="utf-8"))
            cells = [
                f"{row[key]:.3f}" for row in rows.values() for key in ("counts", "anew", "begun")
            ]
            model = rows["12000"]["model"] or "-"
            print(f"| {name} | {Path(path).name} of {package} | `{model}` | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
