"""Generating text from a model: ``charrnn-sample``, or ``python -m charrnn.sample``."""
import argparse
import dataclasses
import io
import json
import sys

import numpy as np

from charrnn import checkpoints
from charrnn.engines import loading as models
from charrnn.engines.decoding import Settings
from charrnn.engines.sampler import PRIME, Sampler, check_prime, default_prime, write
from charrnn.interactive import Conversation
from charrnn.system import console, files
from charrnn.text import corpus, novelty, unknown

TRIES = 20  # samples that are refused for what they copy before it is given up


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
        description="Generate text from a model, character by character.",
        epilog="examples:\n"
               "  charrnn-sample --prime 'Anna ' --length 500 --seed 1\n"
               "  charrnn-sample checkpoints/i200_l512.ckpt --top-n 3\n"
               "  charrnn-sample model.npz --temperature 0.7 --top-p 0.95 --interactive")
    parser.add_argument("model", metavar="MODEL", nargs="?", default="checkpoints",
                        help="a checkpoint, a folder for its latest one, or an exported .npz (default: checkpoints)")
    models.add_arguments(parser)
    text = parser.add_argument_group("text")
    text.add_argument("--prime", metavar="TEXT", default=None,
                      help="how the text begins; - reads it from standard input (default: 'The ', or where the model "
                           "does not know those characters, the first of its vocabulary)")
    text.add_argument("--prime-file", metavar="FILE", default=None, help="the same from a UTF-8 file")
    text.add_argument("--unknown", choices=unknown.CHOICES, default="error",
                      help="what to do with characters of the prime that the model never saw: name them and end, leave "
                           "them out, or take the nearest it has for accents, quotes and dashes (default: error)")
    text.add_argument("--length", metavar="N", type=int, default=1000,
                      help="characters to draw after the prime, at least 1 (default: 1000)")
    text.add_argument("--stop", metavar="STRING", default=None, help="end after this string, where it comes")
    text.add_argument("--lines", metavar="N", type=int, default=None, help="end after N line ends")
    text.add_argument("--num-samples", metavar="N", type=int, default=1,
                      help="texts to write at once, at least 1; one is shown while it is made, several at "
                           "the end, with a line between them (default: 1)")
    text.add_argument("--interactive", action="store_true",
                      help="type beginnings and see them continued; /help lists the commands")
    draw = parser.add_argument_group("drawing")
    draw.add_argument("--temperature", metavar="X", type=float, default=None,
                      help="divide the logits by X, above 0: below 1 the probable becomes more so (default: 1)")
    draw.add_argument("--top-n", metavar="N", type=int, default=None,
                      help="draw from the N most probable characters, at least 1; as many as the vocabulary has, or "
                           "more, draws from all (default: 5, or all with --top-p)")
    draw.add_argument("--top-p", metavar="P", type=float, default=None,
                      help="draw from the fewest most probable characters that together have the probability P, above "
                           "0, at most 1; after the temperature and --top-n (default: 1)")
    draw.add_argument("--greedy", action="store_true", help="take the most probable character each time")
    draw.add_argument("--seed", metavar="N", type=int, default=None,
                      help="draw the same text each time, 0 to 4294967295; further samples are those of the "
                           "numbers that follow (default: another one each time, which is printed on standard error)")
    out = parser.add_argument_group("output")
    out.add_argument("--output", metavar="FILE", default=None, help="write there, in UTF-8, not to standard output")
    out.add_argument("--json", action="store_true",
                     help="write JSON: the texts, their seeds, the settings and each character's log-probability")
    out.add_argument("--novelty", action="store_true",
                     help="say after each text how long a run of it stands word for word in the training text")
    out.add_argument("--max-copy", metavar="K", type=int, default=None,
                     help="refuse texts of which more than K characters in a row stand in the training text, and draw "
                          "others")
    out.add_argument("--train-text", metavar="TEXT", default=None,
                     help="that training text (default: the one that the model names)")
    return parser


def main(argv=None):
    """Run ``charrnn-sample``; return its exit status."""
    return console.run(_main, _parser(), argv)


def _check(args):
    """Raise ValueError where arguments are out of range or contradict each other."""
    for name in ("length", "num_samples", "lines", "max_copy"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ValueError("--{} must be at least 1, not {}".format(name.replace("_", "-"), value))
    if args.stop == "":
        raise ValueError("--stop needs at least one character")
    for one, others in [("greedy", ("temperature", "top_n", "top_p", "seed")), ("prime", ("prime_file",)),
                        ("interactive", ("json", "output", "num_samples", "novelty", "max_copy", "prime", "prime_file",
                                         "stop", "lines"))]:
        for other in others:
            given = getattr(args, other)
            asked = getattr(args, one) not in (None, False)
            if asked and given is not None and given is not False and not (other == "num_samples" and given == 1):
                raise ValueError("--{} and --{} contradict each other".format(one, other.replace("_", "-")))
    if args.seed is not None and not 0 <= args.seed <= 2 ** 32 - args.num_samples:
        raise ValueError("--seed must be from 0 to 4294967295, and so must the seed of each further sample, "
                         "not {}".format(args.seed))


def _settings(args, vocabulary):
    top_n = args.top_n
    if top_n is None:
        top_n = 1 if args.greedy else 5 if args.top_p is None else len(vocabulary)
    settings = Settings(1.0 if args.temperature is None else args.temperature, top_n,
                        1.0 if args.top_p is None else args.top_p)
    settings.check()
    return settings


def _prime(args, vocabulary):
    """Return the prime that was asked for, made one of the vocabulary's characters."""
    if args.prime_file == "-" or args.prime == "-":
        given = console.read_input()
    elif args.prime_file is not None:
        given = corpus.read(args.prime_file, args.encoding).text
    else:
        given = args.prime
    if given is None:
        return default_prime(vocabulary)
    return _resolved(given, vocabulary, args.unknown)


def _resolved(prime, vocabulary, how):
    prime, note = unknown.resolve(prime, vocabulary, how, "the prime")
    if note:
        print(note, file=sys.stderr)
    check_prime(prime, vocabulary)
    return prime


def _main(args):
    _check(args)
    model = models.open_named(args.model, args)
    settings = _settings(args, model.vocabulary)
    seed = args.seed
    if args.interactive:
        return Conversation(Sampler(model, nucleus=True), settings, args.length, args.unknown, seed).hold()
    prime = _prime(args, model.vocabulary)
    reference = None
    if args.novelty or args.max_copy:
        reference = novelty.Reference(models.training_text(models.run_of(model), args.train_text, args.encoding)[0])
    sampler = Sampler(model, args.num_samples, nucleus=settings.top_p < 1)
    if seed is None:
        seed = int(np.random.RandomState().randint(2 ** 32 - args.num_samples, dtype=np.int64))
        if not args.greedy:
            print("seed {}".format(seed), file=sys.stderr)
    if args.output is None:
        return _write_all(args, sampler, model, prime, settings, seed, reference, sys.stdout)
    out = io.StringIO()
    status = _write_all(args, sampler, model, prime, settings, seed, reference, out)
    files.write_atomically(args.output, out.getvalue().encode("utf-8", "surrogatepass"))
    return status


def _write_all(args, sampler, model, prime, settings, seed, reference, out):
    """Write what was asked for; return the exit status."""
    streaming = args.num_samples == 1 and not args.json and args.max_copy is None
    shown = []

    def show(piece):
        if not shown:  # whatever is wrong with the prime was said before
            piece = prime + piece
        shown.append(piece)
        out.write(piece)
        out.flush()

    samples, copies, interrupted = [], [], False
    for _ in range(TRIES):
        samples, interrupted = write(sampler, prime, args.length, settings, seed, stop=args.stop, lines=args.lines,
                                     show=show if streaming else None)
        copies = [reference.novelty(each.text) if reference else None for each in samples]
        worst = max((each.longest for each in copies if each), default=0)
        if args.max_copy is None or worst <= args.max_copy:
            break
        print("refused: with seed {} a run of {:,} characters stands in the training text".format(seed, worst),
              file=sys.stderr)
        if interrupted:
            return 130
        seed = (seed + len(samples)) % 2 ** 32
    else:
        raise ValueError("each of {} tries copied more than {} characters: allow more with --max-copy, or draw more "
                         "freely with --temperature or --top-n".format(TRIES, args.max_copy))
    if args.json:
        json.dump(_as_json(model, prime, settings, samples, copies), out, indent=1)
        out.write("\n")
    elif streaming:
        out.write("\n")
    else:
        for row, each in enumerate(samples):
            out.write("{}{}{}\n".format("-" * 70 + "\n" if row else "", prime, each.text))
    if args.novelty and not args.json:
        for each, copied in zip(samples, copies):
            out.write(_novelty_line(each.text, copied))
    if interrupted:
        print("charrnn-sample: interrupted", file=sys.stderr)
        return 130


def _novelty_line(text, copied):
    return ("novelty: the longest run that stands in the training text has {:,} characters ({!r}, at character {:,} "
            "there); {:.1%} of the {}-character windows stand there\n".format(
                copied.longest, text[copied.start:copied.start + copied.longest], copied.place, copied.share,
                novelty.WINDOW))


def _as_json(model, prime, settings, samples, copies):
    return {"model": model.name, "prime": prime, **dataclasses.asdict(settings), "samples": [
        {"seed": each.seed, "text": prime + each.text, "log_probabilities": each.log_probabilities,
         **({"novelty": copied._asdict()} if copied else {})} for each, copied in zip(samples, copies)]}


if __name__ == "__main__":
    sys.exit(main())
