"""Train the models of languages: ``make models``, with the folder of their texts in CHARRNN_DATA.

The texts are the files that ``models.json`` names, in that folder or in ``novels`` in it. Each language is
trained in a run folder of its own and goes on where it was interrupted. Then its file is written, and its losses are
measured and put into the table, from which ``charrnn/models/README.md`` is written.

    python .make/models.py FOLDER_OF_RUNS [LANGUAGE ...]
"""

import json
import lzma
import os
import shutil
import sys
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


def loss_on(model, text):
    """Return the nats per character of a model on a text, without the characters that it does not know."""
    known = "".join(char for char in text if char in model.vocabulary.vocab_to_int)
    nats = surprisal(model.engine(), model.vocabulary.encode(known), PIECES)
    return round(float(np.mean(nats, dtype=np.float64)), 3)


def export(row, folder):
    """Write the file of a trained model, and put what is known of it into its row."""
    trained = open_model(folder)
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
    training, held_out, _ = trained.run.divide(trained.run.text())
    row["characters"] = len(training)
    row["steps"] = int(trained.name.rpartition("/i")[2].partition("_")[0])
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
        "loss",
        "two other novels",
    )
    table = [(*head, "source", "licence"), 10 * ("---",)]
    for row in rows:
        if "text" in row and "loss" in row:
            began_with = f"`{row['begins_with']}`" if "begins_with" in row else ""
            novels = ", ".join(f"{nats:.3f}" for nats in row["novels"])
            numbers = (f"{row['characters']:,}", f"{row['steps']:,}", f"{row['loss']:.3f}", novels)
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
        export(row, folder)
        content = json.dumps(rows, indent=2, ensure_ascii=False)
        TABLE.write_text(content + "\n", encoding="utf-8")
        write_readme(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
