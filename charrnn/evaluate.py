"""How well a model predicts a text: ``charrnn-evaluate``, or ``python -m charrnn.evaluate``."""
import argparse
import contextlib
import math
import sys

import numpy as np

from charrnn import checkpoints
from charrnn.engines import loading as models
from charrnn.engines.surprisal import WARM_UP, surprisal
from charrnn.system import console
from charrnn.text import baselines, corpus
from charrnn.text.unknown import leave_out_unknown


def measure(model, ids, rows=1):  # transition
    with contextlib.closing(models.load_engine(model)) as engine:
        return surprisal(engine, ids, rows)


class Evaluator:  # transition
    def __init__(self, num_classes, lstm_size, num_layers, cell="lstm", rows=1, threads=None):
        from charrnn.data import Vocabulary
        from charrnn.engines.graph import GraphEngine
        self._engine, self.rows = GraphEngine(Vocabulary(map(chr, range(num_classes))), lstm_size, num_layers, cell,
                                              threads), rows
        self.load, self.close = self._engine.load, self._engine.close

    def restore(self, prefix):
        self.load(checkpoints.read_weights(prefix))

    def nats(self, ids):
        return surprisal(self._engine, ids, self.rows)


def _rows_of_table(nats, text, vocabulary, training):
    """Yield (name, nats a character) of the model and of what it is compared with."""
    yield "this model", float(np.mean(nats, dtype=np.float64))
    if training:
        ids = vocabulary.encode(training), vocabulary.encode(text)
        yield "counts of 5 characters and the next", float(baselines.ngram_nats(*ids, len(vocabulary)).mean())
        yield "xz, after the training text", baselines.xz_bits(text, training) * math.log(2) / len(text)
    yield "xz, of this text alone", baselines.xz_bits(text) * math.log(2) / len(text)


def _parser():
    parser = console.Parser(
        prog="charrnn-evaluate", formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [-h] [options] [MODEL] TEXT\n       %(prog)s [-h] [options] --held-out [MODEL]",
        description="Measure how well a model predicts a text: each character but the first, from all before it.",
        epilog="examples:\n"
               "  charrnn-evaluate checkpoints/small tiny-shakespeare\n"
               "  charrnn-evaluate --held-out --best checkpoints/quick\n"
               "  charrnn-evaluate model.npz other.txt")
    parser.add_argument("places", metavar="[MODEL] TEXT", nargs="*",
                        help="a checkpoint, a folder for its latest one or an exported .npz (default: checkpoints), "
                             "and a path or a known text")
    parser.add_argument("--held-out", action="store_true",
                        help="in place of a TEXT, the end of the training text that the run has held out")
    models.add_arguments(parser)
    parser.add_argument("--rows", metavar="N", type=int, default=1,
                        help="read the text in N pieces side by side, each after the {} characters before it: sooner "
                             "done, and off by as much as what stands further back would have told "
                             "(default: 1, which is exact)".format(WARM_UP))
    parser.add_argument("--train-text", metavar="TEXT", default=None,
                        help="the text that the model was trained on, for what the figure is compared with "
                             "(default: the one that the run names)")
    return parser


def main(argv=None):
    """Run ``charrnn-evaluate``; return its exit status."""
    return console.run(_main, _parser(), argv)


def _say_text(name, text, left_out):
    """Print what is measured, and what leaving out characters does to the figure."""
    print("text     {}, {:,} characters, {:,} of them predicted".format(name, len(text), len(text) - 1))
    if left_out:
        count = sum(left_out.values())
        print("unknown  {:,} more ({:.3g}%) that the model never saw are left out: {}. It gives them no chance at all, "
              "so a figure with them would be without bound; this one is too low by what they would have cost.".format(
                  count, 100 * count / (count + len(text)),
                  ", ".join("{!r} {:,} times".format(*each) for each in left_out.items())))


def _main(args):
    wanted = 0 if args.held_out else 1
    if not wanted <= len(args.places) <= wanted + 1:
        raise ValueError("--held-out takes a MODEL at most" if args.held_out else
                         "name a TEXT, and before it a MODEL if it is not in checkpoints")
    if args.rows < 1:
        raise ValueError("--rows must be at least 1, not {}".format(args.rows))
    place = args.places[0] if len(args.places) > wanted else "checkpoints"
    found = models.open_named(place, args)
    run = models.run_of(found)
    training, held_out, trained_on, trouble = "", "", None, None
    try:
        training, held_out, trained_on = models.training_text(
            run, args.vocab_from if args.train_text is None else args.train_text, args.encoding)
    except ValueError as error:
        if args.held_out or args.train_text is not None:
            raise
        trouble = error
    if args.held_out:
        if not held_out:
            raise ValueError("the run of {} has held nothing out (--val-fraction)".format(found.name))
        text, name = held_out, "held out of {}".format(run.text_name)
    else:
        given = corpus.read(args.places[-1], args.encoding)
        text, name = given.text, given.name
        if given.sha256 == trained_on:
            name += ", which the model was trained on"
    text, left_out = leave_out_unknown(text, found.vocabulary)
    training, _ = leave_out_unknown(training, found.vocabulary)
    if len(text) < 2:
        raise ValueError("a text to evaluate needs at least 2 characters that the model knows, and {} has {}".format(
            name, len(text)))
    print("model    {}".format(found.name))
    _say_text(name, text, left_out)
    if trouble:
        print("training the text cannot be had, so less is compared: {}".format(trouble))
    sys.stdout.flush()
    nats = measure(found, found.vocabulary.encode(text), args.rows)
    print("\n{:<36}{:>10}{:>10}{:>12}".format("", "nats/char", "bits/char", "perplexity"))
    for label, value in _rows_of_table(nats, text, found.vocabulary, training):
        print("{:<36}{:>10.4f}{:>10.4f}{:>12.3f}".format(label, value, value / math.log(2), math.exp(value)),
              flush=True)


if __name__ == "__main__":
    sys.exit(main())
