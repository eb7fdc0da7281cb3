"""Count whose words a network writes after a short text: the table of ten texts in docs/log.md.

``python benchmarks/voices.py FOLDER`` trains on each of ten short texts by ``--preset auto``, writes as the last lines
of the run propose, and counts the words of three texts of 900 characters. Five texts were written for this, five are
those of Debian's packages that ``TEXTS`` names, installed on this machine. FOLDER keeps the models, so that the program
goes on where it was interrupted. CHARRNN_DATA names the folder with anna.txt and the novels of other languages.

``python benchmarks/voices.py FOLDER --text diary --epochs 8 10 --contrast 0 0.5 --seed 2`` tries other values.
"""

import argparse
import gzip
import tempfile
from pathlib import Path

from charrnn import open_model, train_model
from charrnn.checkpoints.writing import START_WRITING
from charrnn.text import novelty
from charrnn.text.corpus import Text, others_words
from charrnn.training import presets

LENGTH = 900
FIRST_SEED = 1
VOICES = Path(__file__).resolve().parent.parent / "tests" / "data" / "voices"
FORTUNES = Path("/usr/share/games/fortunes")
# name: language, file, characters from its beginning, Debian's package
TEXTS = {
    "diary": ("English", VOICES / "diary.txt", None, ""),
    "letters": ("English", VOICES / "letters.txt", None, ""),
    "chat": ("English", VOICES / "chat.txt", None, ""),
    "recipes": ("English", VOICES / "recipes.txt", None, ""),
    "speech": ("English", VOICES / "speech.txt", None, ""),
    "knghtbrd": ("English", FORTUNES / "knghtbrd", 15_000, "fortunes"),
    "songs-poems": ("English", FORTUNES / "songs-poems", 8_000, "fortunes"),
    "debian-manifesto": (
        "English",
        Path("/usr/share/doc/debian/debian-manifesto.gz"),
        None,
        "doc-debian",
    ),
    "witze": ("German", FORTUNES / "de" / "witze", 8_000, "fortunes-de"),
    "refranes": ("Spanish", FORTUNES / "es" / "refranes.fortunes", 6_000, "fortunes-es"),
}
# The limits: of own words at least this part of the text's own share, of others and windows at most these.
LEAST_OWN = 0.5
MOST_OF_OTHERS = 0.06
MOST_IN_NEITHER = 0.03
MOST_COPIED = 0.06


def text_of(name):
    """Return a text."""
    _, path, length, _ = TEXTS[name]
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    return content.decode("utf-8")[:length]


def model_of(folder, name, epochs, seed):
    """Return a model of a text, trained now or before. With None for the epochs, they are those of the preset."""
    path = folder / f"{name}-{epochs or 'auto'}-{seed}.npz"
    if not path.exists():
        if epochs:
            # A text of any length then has these epochs, and what follows from them.
            presets.START_EPOCHS = [epochs] * len(presets.START_CHARACTERS)
        text = Text(name, text_of(name))
        with tempfile.TemporaryDirectory() as run:
            trained = train_model(
                text, run, preset="auto", seed=seed, sample_length=0, summaries=False, quiet=True
            )
            trained.model.save(path)
    return open_model(path)


def counted(model, name, contrast, n_texts):
    """Return the words of texts that a model writes, and the share of their windows that are copied."""
    text = text_of(name)
    others = others_words(TEXTS[name][0]).text
    texts = model.write(
        length=LENGTH,
        n=n_texts,
        seed=FIRST_SEED,
        **{**START_WRITING, "contrast": contrast},
    )
    whose = novelty.whose_words("\n".join(texts), text, others)
    copied = sum(novelty.compare(written, text).share for written in texts) / n_texts
    of_text = novelty.whose_words(text, text, others).only_own
    return whose, copied, of_text


def missed(whose, copied, of_text):
    """Return the names of the limits that are missed."""
    limits = {
        "own": whose.only_own >= LEAST_OWN * of_text,
        "others": whose.only_other <= MOST_OF_OTHERS,
        "neither": whose.neither <= MOST_IN_NEITHER,
        "copied": copied <= MOST_COPIED,
    }
    return [limit for limit, is_kept in limits.items() if not is_kept]


def main():
    """Print a row for each text, number of epochs, seed and contrast."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--text", nargs="+", choices=TEXTS, default=list(TEXTS))
    parser.add_argument("--epochs", nargs="+", type=int, default=[None])
    parser.add_argument("--contrast", nargs="+", type=float, default=[START_WRITING["contrast"]])
    parser.add_argument("--seed", nargs="+", type=int, default=[1])
    parser.add_argument("--texts-written", type=int, default=3)
    args = parser.parse_args()

    args.folder.mkdir(exist_ok=True)
    for name in args.text:
        for seed in args.seed:
            for epochs in args.epochs:
                model = model_of(args.folder, name, epochs, seed)
                start = model.run.init_from
                epochs_done = model.run.hyperparameters.epochs
                for contrast in args.contrast:
                    whose, copied, of_text = counted(model, name, contrast, args.texts_written)
                    cells = [
                        name,
                        f"`{start}`",
                        str(epochs_done),
                        f"{contrast:g}",
                        str(seed),
                        f"{whose.only_own:.1%} of {of_text:.1%}",
                        f"{whose.only_other:.1%}",
                        f"{whose.neither:.1%}",
                        f"{copied:.1%}",
                        ", ".join(missed(whose, copied, of_text)) or "none",
                    ]
                    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
