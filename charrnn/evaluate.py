"""How well a model predicts a text: ``charrnn-evaluate``, or ``python -m charrnn.evaluate``."""
import argparse
import math
import sys

import numpy as np

from charrnn import baselines, console, corpus
from charrnn import checkpoint as checkpoints
from charrnn.data import Vocabulary, split

WARM_UP = 500  # characters that a row reads before the first that counts
WINDOW = 100  # steps of one session call


class Evaluator:
    """A network that tells how surprised it is by each character of a text.

    Attributes:
        rows: pieces of a text that are read side by side.
    """

    def __init__(self, num_classes, lstm_size, num_layers, cell="lstm", rows=1, threads=None):
        """Build the graph, a new one of its own. The weights come by :meth:`load` or :meth:`restore`.

        Args:
            num_classes: C.
            lstm_size: L.
            num_layers: layers of cells.
            cell: kind of cell, see :func:`charrnn.model.build_lstm`.
            rows: at least 1. With 1, a text is read from its beginning to its end with the state carried
                through. More are quicker: each row reads WARM_UP characters before those that it counts.
            threads: as for CharRNN.
        """
        import tensorflow.compat.v1 as tf

        from charrnn.fused import session_config
        from charrnn.model import build_lstm, build_output, build_rnn
        self.rows = rows
        with tf.Graph().as_default() as graph:
            self._inputs = tf.placeholder(tf.int32, [rows, WINDOW])
            self._targets = tf.placeholder(tf.int32, [rows, WINDOW])
            stack, self._initial_state = build_lstm(lstm_size, num_layers, rows, 1.0, cell=cell)
            outputs, self._final_state = build_rnn(  # [rows, WINDOW, L]
                self._inputs, num_classes, stack, self._initial_state, fused=cell == "lstm", threads=threads)
            _, logits = build_output(outputs, lstm_size, num_classes)  # [rows·WINDOW, C]
            nats = tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=tf.reshape(self._targets, [-1]), logits=logits)
            self._nats = tf.reshape(nats, [rows, WINDOW])
            self._variables = tf.trainable_variables()
        self._session = tf.Session(graph=graph, config=session_config(threads))

    def load(self, weights):
        """Take weights: a dict from the name of each trainable variable to its values."""
        for variable in self._variables:
            variable.load(weights[variable.op.name], self._session)

    def restore(self, prefix):
        """Take the weights of a checkpoint.

        Raises:
            CheckpointError: it is damaged, or of another network.
        """
        checkpoints.load_weights(self._session, prefix)

    def nats(self, ids):
        """Return the surprise of each character of a text but the first, which has nothing before it.

        Args:
            ids: int array [T], T at least 2.

        Returns:
            float32 [T - 1], minus the natural logarithm of the probability of each.

        Raises:
            ValueError: T is below 2.
        """
        if len(ids) < 2:
            raise ValueError("a text to evaluate needs at least 2 characters, not {}".format(len(ids)))
        count = len(ids) - 1
        rows = min(self.rows, count)
        edges = [count * row // rows for row in range(rows + 1)]  # row r counts what is between edges r and r + 1
        length = min(count, -(-count // rows) + (WARM_UP if rows > 1 else 0))
        starts = [max(0, end - length) for end in edges[1:]]
        nats = np.empty(count, np.float32)
        state = self._session.run(self._initial_state)
        for begin in range(0, length, WINDOW):
            end = min(begin + WINDOW, length)
            window = np.zeros((self.rows, WINDOW + 1), np.int32)
            for row, start in enumerate(starts):
                piece = ids[start + begin:start + end + 1]
                window[row, :len(piece)] = piece
            found, state = self._session.run([self._nats, self._final_state], feed_dict={
                self._inputs: window[:, :-1], self._targets: window[:, 1:], self._initial_state: state})
            for row, start in enumerate(starts):
                low, high = max(edges[row], start + begin), min(edges[row + 1], start + end)
                if low < high:
                    nats[low:high] = found[row, low - start - begin:high - start - begin]
        return nats

    def close(self):
        """Close the session."""
        self._session.close()


def leave_out_unknown(text, vocabulary):
    """Leave out of a text the characters that a vocabulary lacks.

    Returns:
        (kept, left_out): the text without them, and a dict from each of them to how often it was there.

    >>> leave_out_unknown("naïve café", Vocabulary(" acefnv"))
    ('nave caf', {'ï': 1, 'é': 1})
    """
    unknown = vocabulary.unknown(text)
    left_out = {char: text.count(char) for char in unknown}
    return text.translate({ord(char): None for char in unknown}), left_out


def _rows_of_table(nats, text, vocabulary, training):
    """Yield (name, nats a character) of the model and of what it is compared with."""
    yield "this model", float(np.mean(nats, dtype=np.float64))
    if training is not None:
        ids = vocabulary.encode(training), vocabulary.encode(text)
        yield "counts of 5 characters and the next", float(baselines.ngram_nats(*ids, len(vocabulary)).mean())
        yield "xz, after the training text", baselines.xz_bits(text, training) * math.log(2) / len(text)
    yield "xz, of this text alone", baselines.xz_bits(text) * math.log(2) / len(text)


def _training_text(args, run):
    """Return the text that a run was trained on, without what it held out, and its SHA-256."""
    if args.train_text is not None:
        found = corpus.read(args.train_text, args.encoding)
    elif run:
        found = corpus.read(run.text_name, run.text_encoding)
        if found.sha256 != run.text_sha256:
            raise ValueError("{} is not the text that the model was trained on any more".format(run.text_name))
    else:
        raise ValueError("this checkpoint does not know its training text")
    return split(found.text, run.hyperparameters.get("val_fraction", 0) if run else 0), found.sha256


def _parser():
    parser = console.Parser(
        prog="charrnn-evaluate", formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [-h] [options] [CHECKPOINT] TEXT\n       %(prog)s [-h] [options] --held-out [CHECKPOINT]",
        description="Measure how well a model predicts a text: each character but the first, from all before it.",
        epilog="examples:\n"
               "  charrnn-evaluate checkpoints/small tiny-shakespeare\n"
               "  charrnn-evaluate --held-out --best checkpoints/quick")
    parser.add_argument("places", metavar="[CHECKPOINT] TEXT", nargs="*",
                        help="a checkpoint, or a folder for its latest one (default: checkpoints), and a path or a "
                             "known text")
    parser.add_argument("--held-out", action="store_true",
                        help="in place of a TEXT, the end of the training text that the run has held out")
    parser.add_argument("--best", action="store_true",
                        help="of a folder, take the checkpoint with the lowest validation loss")
    parser.add_argument("--rows", metavar="N", type=int, default=1,
                        help="read the text in N pieces side by side, each after the {} characters before it: sooner "
                             "done, and off by as much as what stands further back would have told "
                             "(default: 1, which is exact)".format(WARM_UP))
    parser.add_argument("--train-text", metavar="TEXT", default=None,
                        help="the text that the model was trained on, for what the figure is compared with "
                             "(default: the one that the run names)")
    parser.add_argument("--encoding", metavar="NAME", default="utf-8",
                        help="encoding of texts given by their path (default: utf-8)")
    return parser


def main(argv=None):
    """Run ``charrnn-evaluate``; return its exit status."""
    return console.run(_main, _parser(), argv)


def _main(args):
    wanted = 0 if args.held_out else 1
    if not wanted <= len(args.places) <= wanted + 1:
        raise ValueError("--held-out takes a CHECKPOINT at most" if args.held_out else
                         "name a TEXT, and before it a CHECKPOINT if it is not in checkpoints")
    if args.rows < 1:
        raise ValueError("--rows must be at least 1, not {}".format(args.rows))
    place = args.places[0] if len(args.places) > wanted else "checkpoints"
    vocabulary = None
    if args.train_text is not None and not checkpoints.knows_vocabulary(place):
        vocabulary = Vocabulary.from_text(corpus.read(args.train_text, args.encoding).text)
    found = checkpoints.open_checkpoint(place, vocabulary, best=args.best)
    console.say_skipped(found.skipped)
    run = checkpoints.run_of(found.prefix)
    training, trained_on, trouble = None, None, None
    try:
        (training, held_out), trained_on = _training_text(args, run)
    except ValueError as error:
        if args.held_out:
            raise
        trouble = error
    if args.held_out:
        if not held_out:
            raise ValueError("the run of {} has held nothing out (--val-fraction)".format(found.prefix))
        text, name = held_out, "held out of {}".format(run.text_name)
    else:
        given = corpus.read(args.places[-1], args.encoding)
        text, name = given.text, given.name
        if given.sha256 == trained_on:
            name += ", which the model was trained on"
    text, left_out = leave_out_unknown(text, found.vocabulary)
    print("model    {}".format(found.prefix))
    print("text     {}, {:,} characters, {:,} of them predicted".format(name, len(text), len(text) - 1))
    if left_out:
        count = sum(left_out.values())
        print("unknown  {:,} more ({:.3g}%) that the model never saw are left out: {}. It gives them no chance at all, "
              "so a figure with them would be without bound; this one is too low by what they would have cost.".format(
                  count, 100 * count / (count + len(text)),
                  ", ".join("{!r} {:,} times".format(*each) for each in left_out.items())))
    if trouble:
        print("training the text cannot be had, so less is compared ({}): name it with --train-text".format(trouble))
    sys.stdout.flush()
    evaluator = Evaluator(len(found.vocabulary), found.lstm_size, found.num_layers, found.cell, args.rows)
    evaluator.restore(found.prefix)
    nats = evaluator.nats(found.vocabulary.encode(text))
    evaluator.close()
    print("\n{:<36}{:>10}{:>10}{:>12}".format("", "nats/char", "bits/char", "perplexity"))
    for label, value in _rows_of_table(nats, text, found.vocabulary, training):
        print("{:<36}{:>10.4f}{:>10.4f}{:>12.3f}".format(label, value, value / math.log(2), math.exp(value)),
              flush=True)


if __name__ == "__main__":
    sys.exit(main())
