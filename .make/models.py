"""Train the models of languages: ``make models``, with the folder of their texts in CHARRNN_DATA.

The texts are the files that ``models.json`` names, in that folder or in ``novels`` in it. Each language is
trained in a run folder of its own and goes on where it was interrupted; where the table says so, a second run then
reads the simple paragraphs of its text. Then its file is written, and its losses are measured and put into the table,
from which ``charrnn/models/README.md`` is written.

    python .make/models.py FOLDER_OF_RUNS [LANGUAGE ...]
"""

import json
import lzma
import os
import re
import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from charrnn import open_model, train_model
from charrnn.checkpoints.record import is_run
from charrnn.engines.surprisal import surprisal
from charrnn.text.corpus import Text
from charrnn.text.lexicon import frequent_words, pack
from charrnn.text.trigrams import most_common

MODELS = Path(__file__).resolve().parent.parent / "charrnn" / "models"
TABLE = MODELS / "models.json"
README = MODELS / "README.md"
# The dropout, weight decay and averages are those of a short run that begins with the model. A row of the table may
# have settings of its own.
SETTINGS = dict(
    lstm_size=512,
    batch_size=50,
    num_steps=100,
    learning_rate=0.003,
    schedule="cosine",
    warmup_steps=100,
    keep_prob=0.75,
    recurrent_keep_prob=0.7,
    weight_decay=0.1,
    average_decay=0.99,
    grad_clip=0.2,
    epochs=1,
    val_fraction=0.01,
    save_every_n=250,
    precision="auto",
    seed=1,
    sample_length=0,
    max_to_keep=1,
)
# What differs in the second run, on the simple paragraphs; its epochs are in the table.
SIMPLE_SETTINGS = dict(
    learning_rate=0.001,
    warmup_steps=50,
    keep_prob=1.0,
    recurrent_keep_prob=1.0,
    average_decay=0.998,
)
# A paragraph is simple if it ends like a sentence, its sentences have at most so many words on the mean, and so many of
# its words are frequent, or have a capital. The frequent words make up so much of the text.
MOST_WORDS = 16
LEAST_FREQUENT = 0.95
SHARE_OF_FREQUENT = 0.92356
LEAST_WORDS = 4
# A longer line is a paragraph.
LONGEST_LINE = 95
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
SENTENCE_END = re.compile(r"[.!?…][\"”’'»“]*(?=\s|$)")
# frequent words of a language that its model has with it, at most
WORDS = 60_000
# what a model of a language writes with (docs/log.md)
WRITING = dict(temperature=0.7, known_words=True)
# novels that no model has read, LANGUAGE-novel-1.txt.xz and so on
NOVELS = (1, 2)
# how many groups of three letters tell a language, and the characters at the beginning of a text that they are from
TRIGRAMS = 200
CHARACTERS_OF_TRIGRAMS = 1_000_000
# pieces of a text that are read in parallel
PIECES = 64


def folder_of_texts():
    """Return the folder that has the texts."""
    given = Path(os.environ.get("CHARRNN_DATA", "data"))
    novels = given / "novels"
    return novels if novels.is_dir() else given


def read_text(path):
    """Return a text that is compressed with xz."""
    with lzma.open(str(path), "rt", encoding="utf-8") as file:
        return file.read()


def train(row, folder):
    """Train a model, or continue its training.

    It begins with the run of another language beside its own, or, where there is none, with the model of that name.
    """
    if is_run(folder):
        train_model(None, folder, resume=True)
        return
    text = read_text(folder_of_texts() / row["text"])
    settings = dict(SETTINGS, **row.get("settings", {}))
    if "first" in row:
        text = text[: row["first"]]
    if "begins_with" in row:
        # a run beside its own, or the model of that name, which may be the one that this one replaces
        begins_with = folder.parent / row["begins_with"]
        settings["init_from"] = open_model(
            begins_with if is_run(begins_with) else row["begins_with"]
        )
    train_model(Text(row["name"], text), folder, **settings)


def paragraphs_of(text):
    """Return the paragraphs of a text, each with what ends it."""
    paragraphs = []
    for block in re.split(r"\n{2,}", text):
        lines = block.split("\n")
        if len(lines) > 1 and max(map(len, lines)) > LONGEST_LINE:
            paragraphs += [f"{line}\n" for line in lines]
        else:
            paragraphs.append(f"{block}\n\n")
    return paragraphs


def frequent_of(text):
    """Return the most frequent words of a text, in lower case, which make up SHARE_OF_FREQUENT of it."""
    counts = Counter(word.lower() for word in WORD.findall(text))
    left = SHARE_OF_FREQUENT * sum(counts.values())
    frequent = set()
    for word, count in counts.most_common():
        frequent.add(word)
        left -= count
        if left <= 0:
            break
    return frequent


def is_simple(paragraph, frequent):
    words = WORD.findall(paragraph)
    ends = list(SENTENCE_END.finditer(paragraph))
    if len(words) < LEAST_WORDS or not ends or ends[-1].end() < len(paragraph.rstrip()):
        return False
    if len(words) > MOST_WORDS * len(ends):
        return False
    known = [word for word in words if word.lower() in frequent or word[0].isupper()]
    return len(known) >= LEAST_FREQUENT * len(words)


def train_on_simple(row, folder):
    """Train the model of a run once more, on the simple paragraphs of its text, and return the folder of that run."""
    simple_folder = folder.with_name(f"{folder.name}-simple")
    if is_run(simple_folder):
        train_model(None, simple_folder, resume=True)
        return simple_folder
    trained = open_model(folder)
    text = read_text(folder_of_texts() / row["text"])
    frequent = frequent_of(text)
    simple = "".join(part for part in paragraphs_of(text) if is_simple(part, frequent))
    known = "".join(char for char in simple if char in trained.vocabulary.vocab_to_int)
    settings = {**SETTINGS, **SIMPLE_SETTINGS, "epochs": row["simple"]["epochs"]}
    simple_text = Text(row["name"], known[: row["simple"].get("first")])
    train_model(simple_text, simple_folder, init_from=trained, **settings)
    return simple_folder


def steps_of(model):
    """Return the steps of a run, from the name of its checkpoint."""
    return int(model.name.rpartition("/i")[2].partition("_")[0])


def loss_on(model, text):
    """Return the nats per character of a model on a text, without the characters that it does not know."""
    known = "".join(char for char in text if char in model.vocabulary.vocab_to_int)
    nats = surprisal(model.engine(), model.vocabulary.encode(known), PIECES)
    return round(float(np.mean(nats, dtype=np.float64)), 3)


def export(row, folder, simple_folder=None):
    """Write the file of a trained model, perhaps with a second run, and put what is known of it into its row."""
    of_all = open_model(folder)
    trained = of_all
    if simple_folder:
        trained = open_model(simple_folder)
        simple, _, _ = trained.run.divide(trained.run.text())
        row["simple"].update(characters=len(simple), steps=steps_of(trained))
    # The table says what it began with; the path in the record is of this machine.
    run = replace(
        trained.run,
        text_name=row["name"],
        init_from=None,
        init_from_sha256=None,
        writing=WRITING,
    )
    exported = folder.parent / f"{row['name']}.npz"
    words = pack(frequent_words(read_text(folder_of_texts() / row["text"]), WORDS))
    replace(trained, run=run, words=words).save(exported, "int8")

    # what is measured is the file
    model = open_model(exported)
    training, held_out, _ = of_all.run.divide(of_all.run.text())
    row["characters"] = len(training)
    row["steps"] = steps_of(of_all)
    row["loss"] = loss_on(model, held_out)
    row["trigrams"] = "|".join(most_common(training[:CHARACTERS_OF_TRIGRAMS], TRIGRAMS))
    row["novels"] = []
    for number in NOVELS:
        novel = read_text(folder_of_texts() / f"{row['name']}-novel-{number}.txt.xz")
        row["novels"].append(loss_on(model, novel))
    # A file without a complete row would stop every command.
    shutil.copy(str(exported), str(MODELS))


def write_readme(rows):
    """Write the table into README.md, after what stands before it."""
    head = (
        "name",
        "language",
        "began with",
        "what it read",
        "characters",
        "steps",
        "then simple ones",
        "loss",
        "two other novels",
    )
    table = [(*head, "source", "licence"), 11 * ("---",)]
    for row in rows:
        if "text" in row and "loss" in row:
            began_with = f"`{row['begins_with']}`" if "begins_with" in row else ""
            novels = ", ".join(f"{nats:.3f}" for nats in row["novels"])
            read_simple = ""
            if "simple" in row:
                read_simple = f"{row['simple']['characters']:,}"
            numbers = (
                f"{row['characters']:,}",
                f"{row['steps']:,}",
                read_simple,
                f"{row['loss']:.3f}",
                novels,
            )
            name = f"`{row['name']}`"
            table.append(
                (
                    name,
                    row["language"],
                    began_with,
                    row["read"],
                    *numbers,
                    row["source"],
                    row["licence"],
                )
            )
    lines = [f"| {' | '.join(cells)} |" for cells in table]
    before, _, after = README.read_text(encoding="utf-8").partition("| name |")
    _, _, rest = after.partition("\n\n")
    README.write_text(before + "\n".join(lines) + "\n\n" + rest, encoding="utf-8")


def main(runs, *names):
    rows = json.loads(TABLE.read_text(encoding="utf-8"))
    for row in rows:
        if "text" not in row or (names and row["name"] not in names):
            continue
        folder = Path(runs) / row["name"]
        train(row, folder)
        simple_folder = train_on_simple(row, folder) if "simple" in row else None
        export(row, folder, simple_folder)
        content = json.dumps(rows, indent=2, ensure_ascii=False)
        TABLE.write_text(content + "\n", encoding="utf-8")
        write_readme(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
