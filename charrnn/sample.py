"""Generating text from a checkpoint: ``charrnn-sample``, or ``python -m charrnn.sample``."""
import argparse
import sys

import numpy as np

from charrnn import checkpoint as checkpoints
from charrnn import console, corpus
from charrnn.data import Vocabulary

PRIME = "The "
CHUNK = 50  # characters drawn before they are shown
PRIME_CHUNK = 1000  # characters of a prime that are read at once, which bounds the memory


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


def check_prime(prime, vocabulary):
    """Raise ValueError where a prime is empty or has characters that the vocabulary lacks."""
    if not prime:
        raise ValueError("the prime is empty: give at least one character to begin with")
    unknown = vocabulary.unknown(prime)
    if unknown:
        raise ValueError("the prime has characters that the model never saw: {}".format(
            ", ".join(map(repr, unknown))))


def default_prime(vocabulary):
    """Return "The ", or where the vocabulary lacks one of its characters, the vocabulary's first one."""
    return vocabulary.chars[0] if vocabulary.unknown(PRIME) else PRIME


class Sampler:
    """A checkpoint's network, ready to continue any beginning, with the loop inside the graph.

    Attributes:
        vocabulary: the Vocabulary of the checkpoint.
        num_samples: B, texts written at once.
    """

    def __init__(self, checkpoint, num_samples=1):
        """Build the graph, a new one of its own, and restore the checkpoint.

        Args:
            checkpoint: a Checkpoint, from :func:`charrnn.checkpoint.open_checkpoint`.
            num_samples: B, at least 1.

        Raises:
            ValueError: ``num_samples`` is below 1.
            CheckpointError: the checkpoint is damaged.
        """
        import tensorflow.compat.v1 as tf

        from charrnn.fused import session_config
        from charrnn.generate import build_generation
        if num_samples < 1:
            raise ValueError("num_samples must be at least 1, not {}".format(num_samples))
        self.vocabulary = checkpoint.vocabulary
        self.num_samples = num_samples
        with tf.Graph().as_default() as graph:
            self._graph = build_generation(
                len(self.vocabulary), checkpoint.lstm_size, checkpoint.num_layers, num_samples, checkpoint.cell)
        self._session = tf.Session(graph=graph, config=session_config())
        self.restore(checkpoint.prefix)

    def restore(self, prefix):
        """Take the weights of another checkpoint of the same network.

        Raises:
            CheckpointError: that checkpoint is damaged or of another network.
        """
        checkpoints.load_weights(self._session, prefix)
        self._session.run(self._graph.prepare)

    def generate(self, prime, length, top_n=5, *, rngs=None):
        """Yield pieces of B texts that continue one beginning.

        Args:
            prime: the beginning, at least one character, all of them in the vocabulary.
            length: number of characters to draw, at least 0.
            top_n: see :func:`pick_top_n`.
            rngs: B generators, of which each draws one text: RandomStates, or ``np.random``, whose seed is
                the caller's. None for new ones.

        Yields:
            Lists of B strings, all of the same length, at most CHUNK.

        Raises:
            ValueError: the prime is empty or has characters that the model never saw; ``length`` or
                ``top_n`` is out of range. Raised when the first piece is asked for.
        """
        check_prime(prime, self.vocabulary)
        if length < 0:
            raise ValueError("length must be at least 0, not {}".format(length))
        if top_n < 1:
            raise ValueError("top_n must be at least 1, not {}".format(top_n))
        if rngs is None:
            rngs = [np.random.RandomState() for _ in range(self.num_samples)]
        prediction, state = self._read(self.vocabulary.encode(prime))
        graph = self._graph
        for start in range(0, length, CHUNK):
            uniforms = np.stack([rng.random_sample(min(CHUNK, length - start)) for rng in rngs], axis=1)  # [T, B]
            feed = {graph.state: state, graph.prediction: prediction, graph.uniforms: uniforms,
                    graph.top_n: min(top_n, len(self.vocabulary))}
            ids, prediction, state = self._session.run(
                [graph.ids, graph.last_prediction, graph.last_state], feed_dict=feed)
            yield [self.vocabulary.decode(column) for column in ids.T]

    def _read(self, ids):
        """Read the prime; return the distribution after it [B, C], and the state, [B, L] each."""
        import tensorflow.compat.v1 as tf

        graph, state = self._graph, self._session.run(self._graph.prime_state)
        for start in range(0, len(ids), PRIME_CHUNK):
            feed = {graph.prime: ids[np.newaxis, start:start + PRIME_CHUNK], graph.prime_state: state}
            prediction, state = self._session.run([graph.read_prediction, graph.read_state], feed_dict=feed)
        rows = (self.num_samples, 1)
        return np.tile(prediction, rows), tf.nest.map_structure(lambda part: np.tile(part, rows), state)

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
    check_prime(prime, found.vocabulary)
    return prime + "".join(_one_by_one(found, prime, n_samples + 1, top_n))


def _one_by_one(checkpoint, prime, length, top_n):
    """Yield ``length`` characters as the notebook's loop draws them, with one session call for each."""
    import tensorflow.compat.v1 as tf

    from charrnn.model import CharRNN
    vocabulary = checkpoint.vocabulary
    model = CharRNN(len(vocabulary), lstm_size=checkpoint.lstm_size, num_layers=checkpoint.num_layers,
                    sampling=True, cell=checkpoint.cell)
    with tf.Session() as session:
        checkpoints.load_weights(session, checkpoint.prefix)
        state = session.run(model.initial_state)
        given = list(vocabulary.encode(prime))
        for step in range(len(given) + length - 1):
            feed = {model.inputs: [[given[step]]], model.keep_prob: 1.0, model.initial_state: state}
            preds, state = session.run([model.prediction, model.final_state], feed_dict=feed)
            if step >= len(given) - 1:
                given.append(pick_top_n(preds, len(vocabulary), top_n))
                yield vocabulary.int_to_vocab[given[-1]]


def _parser():
    parser = console.Parser(
        prog="charrnn-sample", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Generate text from a checkpoint, character by character.",
        epilog="examples:\n"
               "  charrnn-sample --prime 'Anna ' --length 500 --seed 1\n"
               "  charrnn-sample checkpoints/i200_l512.ckpt --top-n 3")
    parser.add_argument("checkpoint", metavar="CHECKPOINT", nargs="?", default="checkpoints",
                        help="a checkpoint, or a folder for its latest one (default: checkpoints)")
    parser.add_argument("--best", action="store_true",
                        help="of a folder, take the checkpoint with the lowest validation loss")
    text = parser.add_argument_group("text")
    text.add_argument("--prime", metavar="TEXT", default=None,
                      help="how the text begins (default: 'The ', or where the model does not know "
                           "those characters, the first of its vocabulary)")
    text.add_argument("--length", metavar="N", type=int, default=1000,
                      help="characters to draw after the prime, at least 1 (default: 1000)")
    text.add_argument("--num-samples", metavar="N", type=int, default=1,
                      help="texts to write at once, at least 1; one is shown while it is made, several at "
                           "the end, with a line between them (default: 1)")
    draw = parser.add_argument_group("drawing")
    draw.add_argument("--top-n", metavar="N", type=int, default=5,
                      help="draw from the N most probable characters, at least 1; as many as the "
                           "vocabulary has, or more, draws from all (default: 5)")
    draw.add_argument("--seed", metavar="N", type=int, default=None,
                      help="draw the same text each time, 0 to 4294967295; further samples are those of the "
                           "numbers that follow (default: another text each time)")
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
    if args.num_samples < 1:
        raise ValueError("--num-samples must be at least 1, not {}".format(args.num_samples))
    if args.seed is not None and not 0 <= args.seed <= 2 ** 32 - args.num_samples:
        raise ValueError("--seed must be from 0 to 4294967295, and so must the seed of each further sample, "
                         "not {}".format(args.seed))
    vocabulary = None
    if args.vocab_from is not None:
        vocabulary = Vocabulary.from_text(corpus.read(args.vocab_from, args.encoding).text)
    found = checkpoints.open_checkpoint(args.checkpoint, vocabulary, best=args.best)
    console.say_skipped(found.skipped)
    sampler = Sampler(found, args.num_samples)
    prime = default_prime(sampler.vocabulary) if args.prime is None else args.prime
    rngs = [np.random.RandomState(None if args.seed is None else args.seed + row)
            for row in range(args.num_samples)]
    pieces = sampler.generate(prime, args.length, args.top_n, rngs=rngs)
    if args.num_samples == 1:
        _show(prime, pieces)
    else:
        for row, text in enumerate(map("".join, zip(*pieces))):
            sys.stdout.write("{}{}{}\n".format("-" * 70 + "\n" if row else "", prime, text))


def _show(prime, pieces):
    """Write a text while it is made; whatever is wrong with the prime is said before it is written."""
    for number, (piece,) in enumerate(pieces):
        sys.stdout.write(piece if number else prime + piece)
        sys.stdout.flush()
    sys.stdout.write("\n")


if __name__ == "__main__":
    sys.exit(main())
