"""How well a model predicts a text: ``charrnn-evaluate``, or ``python -m charrnn.evaluate``."""
import argparse
import contextlib
import math
import sys

import numpy as np

from charrnn import checkpoints
from charrnn.engines import loading as models
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.system import console
from charrnn.text import baselines, corpus

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

        from charrnn.fused.session import session_config
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

    def zero_state(self):
        """Return the state before a text."""
        return self._session.run(self._initial_state)

    def surprises(self, inputs, targets, state):
        """Read windows of text [rows, WINDOW], as :meth:`charrnn.engines.numpy_lstm.NumpyLSTM.surprises` does."""
        return self._session.run([self._nats, self._final_state], feed_dict={
            self._inputs: inputs, self._targets: targets, self._initial_state: state})

    def nats(self, ids):
        """Return the surprise of each character of a text but the first: :func:`nats_of` with this network."""
        return nats_of(self.surprises, self.zero_state(), ids, self.rows)

    def close(self):
        """Close the session."""
        self._session.close()


def nats_of(surprises, state, ids, rows):
    """Return the surprise of each character of a text but the first, which has nothing before it.

    Args:
        surprises: function of inputs, targets [rows, WINDOW] and a state; returns the nats and the state.
        state: the state before a text, for all rows.
        ids: int array [T], T at least 2.
        rows: pieces of the text that are read side by side. With 1, the state is carried from its beginning to its
            end; with more, each reads WARM_UP characters before those that it counts.

    Returns:
        float32 [T - 1], minus the natural logarithm of the probability of each.

    Raises:
        ValueError: T is below 2.
    """
    if len(ids) < 2:
        raise ValueError("a text to evaluate needs at least 2 characters, not {}".format(len(ids)))
    count = len(ids) - 1
    pieces = min(rows, count)
    edges = [count * piece // pieces for piece in range(pieces + 1)]  # a piece counts from its edge to the next
    length = min(count, -(-count // pieces) + (WARM_UP if pieces > 1 else 0))
    starts = [max(0, end - length) for end in edges[1:]]
    nats = np.empty(count, np.float32)
    for begin in range(0, length, WINDOW):
        end = min(begin + WINDOW, length)
        window = np.zeros((rows, WINDOW + 1), np.int32)
        for row, start in enumerate(starts):
            piece = ids[start + begin:start + end + 1]
            window[row, :len(piece)] = piece
        found, state = surprises(window[:, :-1], window[:, 1:], state)
        for row, start in enumerate(starts):
            low, high = max(edges[row], start + begin), min(edges[row + 1], start + end)
            if low < high:
                nats[low:high] = found[row, low - start - begin:high - start - begin]
    return nats


def measure(model, ids, rows=1):
    """Return :func:`nats_of` a text [T] by a model, a Checkpoint or a NumpyLSTM."""
    if isinstance(model, NumpyLSTM):
        return nats_of(model.surprises, model.zero_state(rows), ids, rows)
    evaluator = Evaluator(len(model.vocabulary), model.lstm_size, model.num_layers, model.cell, rows)
    with contextlib.closing(evaluator):
        evaluator.restore(model.prefix)
        return evaluator.nats(ids)


def leave_out_unknown(text, vocabulary):
    """Leave out of a text the characters that a vocabulary lacks.

    Returns:
        (kept, left_out): the text without them, and a dict from each of them to how often it was there.

    >>> from charrnn.data import Vocabulary
    >>> leave_out_unknown("naïve café", Vocabulary(" acefnv"))
    ('nave caf', {'ï': 1, 'é': 1})
    """
    unknown = vocabulary.unknown(text)
    left_out = {char: text.count(char) for char in unknown}
    return text.translate({ord(char): None for char in unknown}), left_out


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
