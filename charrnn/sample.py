"""Generating text from a checkpoint: ``charrnn-sample``, or ``python -m charrnn.sample``."""
import argparse
import sys

import numpy as np

from charrnn import checkpoint as checkpoints
from charrnn import console, corpus
from charrnn.data import Vocabulary

PRIME = "The "


def pick_top_n(preds, vocab_size, top_n=5, *, rng=np.random):
    """Draw one id from the ``top_n`` most probable ones.

    Args:
        preds: float array with C probabilities, of any shape that squeezes to [C]; left as it is.
        vocab_size: C.
        top_n: how many of the largest probabilities to keep, at least 1; C or more keeps all of them.
        rng: what draws: ``np.random``, whose seed is the caller's, or a RandomState.

    Returns:
        The id, an int in [0, C).

    Raises:
        ValueError: ``top_n`` is below 1.

    Source: notebook, "sampling".

    >>> pick_top_n(np.array([[0.1, 0.7, 0.2]]), 3, top_n=1)
    1
    """
    if top_n < 1:
        raise ValueError("top_n must be at least 1, not {}".format(top_n))
    p = np.squeeze(preds).copy()
    p[np.argsort(p)[:-top_n]] = 0
    p = p / np.sum(p)
    return int(rng.choice(vocab_size, 1, p=p)[0])


def default_prime(vocabulary):
    """Return "The ", or where the vocabulary lacks one of its characters, the vocabulary's first one."""
    return vocabulary.chars[0] if vocabulary.unknown(PRIME) else PRIME


class Sampler:
    """The sampling graph in a session of its own.

    Attributes:
        vocabulary: the Vocabulary of the checkpoint.
    """

    def __init__(self, checkpoint):
        """Build the network of a checkpoint and restore it. It resets the default graph.

        Args:
            checkpoint: a Checkpoint, from :func:`charrnn.checkpoint.open_checkpoint`.

        Raises:
            CheckpointError: the checkpoint is damaged.
        """
        import tensorflow.compat.v1 as tf

        from charrnn.model import CharRNN
        self.vocabulary = checkpoint.vocabulary
        self._model = CharRNN(len(self.vocabulary), lstm_size=checkpoint.lstm_size,
                              num_layers=checkpoint.num_layers, sampling=True)
        self._saver = tf.train.Saver(tf.trainable_variables())
        self._session = tf.Session()
        self.restore(checkpoint.prefix)

    def restore(self, prefix):
        """Take the weights of another checkpoint of the same network.

        Raises:
            CheckpointError: that checkpoint is damaged or of another network.
        """
        checkpoints.restore(self._session, self._saver, prefix)

    def generate(self, prime, length, top_n=5, *, rng=np.random):
        """Yield ``length`` characters that continue a text, one by one.

        Args:
            prime: the beginning of the text, at least one character, all of them in the vocabulary.
            length: number of characters to draw, at least 0.
            top_n: see :func:`pick_top_n`.
            rng: see :func:`pick_top_n`.

        Raises:
            ValueError: the prime is empty or has characters that the model never saw; ``length`` or
                ``top_n`` is out of range. Raised when the first character is asked for.
        """
        if not prime:
            raise ValueError("the prime is empty: give at least one character to begin with")
        unknown = self.vocabulary.unknown(prime)
        if unknown:
            raise ValueError("the prime has characters that the model never saw: {}".format(
                ", ".join(map(repr, unknown))))
        if length < 0:
            raise ValueError("length must be at least 0, not {}".format(length))
        state = self._session.run(self._model.initial_state)
        for char_id in self.vocabulary.encode(prime):
            preds, state = self._step(char_id, state)
        for _ in range(length):
            char_id = pick_top_n(preds, len(self.vocabulary), top_n, rng=rng)
            yield self.vocabulary.int_to_vocab[char_id]
            preds, state = self._step(char_id, state)

    def _step(self, char_id, state):
        """Feed one character; return the distribution over the next, float32 [1, C], and the state."""
        model = self._model
        feed = {model.inputs: [[char_id]], model.keep_prob: 1.0, model.initial_state: state}
        return self._session.run([model.prediction, model.final_state], feed_dict=feed)

    def close(self):
        """Close the session."""
        self._session.close()


def sample(checkpoint, n_samples, lstm_size=None, vocab_size=None, prime=PRIME, *, top_n=5, vocabulary=None):
    """Generate text from a checkpoint. With ``np.random.seed`` set it draws what the notebook draws.

    Args:
        checkpoint: a run folder, or the prefix of a checkpoint.
        n_samples: number of drawn characters that are fed back, at least 0.
        lstm_size: L. The checkpoint knows it; if given, it must agree.
        vocab_size: C. The checkpoint knows it; if given, it must agree.
        prime: the beginning of the text.
        top_n: see :func:`pick_top_n`.
        vocabulary: a Vocabulary, for a checkpoint of the notebook's own; None for that of the run folder.

    Returns:
        The prime and ``n_samples`` + 1 new characters, a str.

    Raises:
        ValueError: bad arguments; CheckpointError, which is one, for a bad checkpoint.

    Source: notebook, "sampling". Unlike the notebook's it takes the vocabulary and the number of layers
    from the checkpoint, and refuses what it cannot do.
    """
    if n_samples < 0:
        raise ValueError("n_samples must be at least 0, not {}".format(n_samples))
    found = checkpoints.open_checkpoint(checkpoint, vocabulary)
    for name, given, known in [("lstm_size", lstm_size, found.lstm_size),
                               ("vocab_size", vocab_size, len(found.vocabulary))]:
        if given is not None and given != known:
            raise ValueError("{} is {}, but {} has {}".format(name, given, found.prefix, known))
    sampler = Sampler(found)
    try:
        return prime + "".join(sampler.generate(prime, n_samples + 1, top_n))
    finally:
        sampler.close()


def _parser():
    parser = console.Parser(
        prog="charrnn-sample", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Generate text from a checkpoint, character by character.",
        epilog="examples:\n"
               "  charrnn-sample --prime 'Anna ' --length 500 --seed 1\n"
               "  charrnn-sample checkpoints/i200_l512.ckpt --top-n 3")
    parser.add_argument("checkpoint", metavar="CHECKPOINT", nargs="?", default="checkpoints",
                        help="a checkpoint, or a folder for its latest one (default: checkpoints)")
    text = parser.add_argument_group("text")
    text.add_argument("--prime", metavar="TEXT", default=None,
                      help="how the text begins (default: 'The ', or where the model does not know "
                           "those characters, the first of its vocabulary)")
    text.add_argument("--length", metavar="N", type=int, default=1000,
                      help="characters to draw after the prime, at least 1 (default: 1000)")
    draw = parser.add_argument_group("drawing")
    draw.add_argument("--top-n", metavar="N", type=int, default=5,
                      help="draw from the N most probable characters, at least 1; as many as the "
                           "vocabulary has, or more, draws from all (default: 5)")
    draw.add_argument("--seed", metavar="N", type=int, default=None,
                      help="draw the same text each time, 0 to 4294967295 (default: another text each time)")
    model = parser.add_argument_group("checkpoints of the notebook's own, which do not know their vocabulary")
    model.add_argument("--vocab-from", metavar="TEXT", default=None,
                       help="the text that the model was trained on: a path or a known name")
    model.add_argument("--encoding", metavar="NAME", default="utf-8",
                       help="encoding of that text (default: utf-8)")
    return parser


def main(argv=None):
    """Run ``charrnn-sample``; return its exit status."""
    return console.run(_main, _parser(), argv)


def _main(args):
    if args.length < 1:
        raise ValueError("--length must be at least 1, not {}".format(args.length))
    if args.top_n < 1:
        raise ValueError("--top-n must be at least 1, not {}".format(args.top_n))
    if args.seed is not None and not 0 <= args.seed < 2 ** 32:
        raise ValueError("--seed must be from 0 to 4294967295, not {}".format(args.seed))
    vocabulary = None
    if args.vocab_from is not None:
        vocabulary = Vocabulary.from_text(corpus.read(args.vocab_from, args.encoding).text)
    sampler = Sampler(checkpoints.open_checkpoint(args.checkpoint, vocabulary))
    prime = default_prime(sampler.vocabulary) if args.prime is None else args.prime
    characters = sampler.generate(prime, args.length, args.top_n, rng=np.random.RandomState(args.seed))
    first = next(characters)  # whatever is wrong with the prime is said before it is printed
    sys.stdout.write(prime + first)
    for char in characters:
        sys.stdout.write(char)
        sys.stdout.flush()
    sys.stdout.write("\n")


if __name__ == "__main__":
    sys.exit(main())
