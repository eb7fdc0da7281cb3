"""Count whose words a network writes after a short text, and how often it says them: the table in docs/log.md.

``python benchmarks/voices.py FOLDER`` trains on each of twelve short texts by ``--preset auto``, writes three texts of
900 characters as the run writes by default, and counts. Seven texts were written for this, five are those of Debian's
packages that ``TEXTS`` names, installed on this machine, as are hunspell and its dictionaries. FOLDER keeps the models,
so that the program goes on where it was interrupted. The words of others are those of the list of the language.

``python benchmarks/voices.py FOLDER --text diary --epochs 8 10 --best-of 1 12 --seed 2`` tries other values.
"""

import argparse
import gzip
import tempfile
from pathlib import Path

import counting
from sense import unknown_share

from charrnn import open_model, train_model
from charrnn.text import novelty, pieces
from charrnn.text.corpus import Text
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
    "log": ("English", VOICES / "log.txt", None, ""),
    "address": ("English", VOICES / "address.txt", None, ""),
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
DICTIONARIES = {"English": "en_US,en_GB", "German": "de_DE", "Spanish": "es_ES"}
# The limits: of own and of different words at least these parts of what the text itself has.
LEAST_OWN = 0.5
LEAST_DIFFERENT = 0.6
MOST_AGAIN = 0.03
# Of words in no dictionary, so much more than the text itself has.
MORE_IN_NO_DICTIONARY = 0.01
HEAD = (
    "| text | began with | epochs | best of | seed | own words | of others | in no dictionary | copied "
    "| phrases again | different words | missed |"
)


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


def counted(model, name, how, n_texts):
    """Return what is counted of texts that a model writes: from names to the figure of the texts and the text's own."""
    text = text_of(name)
    language, *_ = TEXTS[name]
    others = set(pieces.words("\n".join(model.listed_words())))
    texts = model.write(length=LENGTH, n=n_texts, seed=FIRST_SEED, **how)

    written = "\n".join(texts)
    own, of_others = counting.whose_words(written, text, others)
    own_of_text, _ = counting.whose_words(text, text, others)
    different, different_in_text = counting.different_words([written, text])
    # A word of the author is none that the network has invented.
    known = counting.words_of(text)
    dictionary = DICTIONARIES[language]
    length = max(map(len, texts))
    return {
        "own": (own, own_of_text),
        "others": (of_others, 0),
        "dictionary": (
            unknown_share([written], dictionary, known),
            unknown_share([text], dictionary),
        ),
        "copied": (sum(novelty.compare(one, text).share for one in texts) / n_texts, 0),
        "again": (
            counting.repeated_phrases(texts),
            counting.repeated_in_parts(text, length),
        ),
        "different": (different, different_in_text),
    }


def missed(figures):
    """Return the names of the limits that are missed."""
    own, of_text = figures["own"]
    different, different_in_text = figures["different"]
    unknown, unknown_in_text = figures["dictionary"]
    again, _ = figures["again"]
    copied, _ = figures["copied"]
    limits = {
        "own": own >= LEAST_OWN * of_text,
        "dictionary": unknown <= unknown_in_text + MORE_IN_NO_DICTIONARY,
        "copied": copied == 0,
        "again": again <= MOST_AGAIN,
        "different": different >= LEAST_DIFFERENT * different_in_text,
    }
    return [limit for limit, is_kept in limits.items() if not is_kept]


def main():
    """Print a row for each text, number of epochs, seed and number of sentences."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--text", nargs="+", choices=TEXTS, default=list(TEXTS))
    parser.add_argument("--epochs", nargs="+", type=int, default=[None])
    parser.add_argument("--best-of", nargs="+", type=int, default=[None])
    parser.add_argument("--seed", nargs="+", type=int, default=[1])
    parser.add_argument("--texts-written", type=int, default=3)
    args = parser.parse_args()

    args.folder.mkdir(exist_ok=True)
    print(HEAD)
    for name in args.text:
        for seed in args.seed:
            for epochs in args.epochs:
                model = model_of(args.folder, name, epochs, seed)
                for best_of in args.best_of:
                    print_row(model, name, best_of, args.texts_written, seed)


def print_row(model, name, best_of, n_texts, seed):
    """Print a row of the table."""
    how = {} if best_of is None else {"best_of": best_of}
    figures = counted(model, name, how, n_texts)
    others, _ = figures["others"]
    copied, _ = figures["copied"]
    different, different_in_text = figures["different"]
    cells = [
        name,
        f"`{model.run.init_from}`",
        str(model.run.hyperparameters.epochs),
        f"{model.writing_with(how).best_of}",
        str(seed),
        beside(figures["own"]),
        f"{others:.1%}",
        beside(figures["dictionary"]),
        f"{copied:.1%}",
        beside(figures["again"]),
        f"{different} of {different_in_text}",
        ", ".join(missed(figures)) or "none",
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


def beside(shares):
    """Return a share of what was written, and that of the text itself."""
    written, of_text = shares
    return f"{written:.1%} of {of_text:.1%}"


if __name__ == "__main__":
    main()
