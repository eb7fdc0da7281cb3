"""Models that outlive TensorFlow 1.15: ``charrnn-export``, or ``python -m charrnn.export``."""
import argparse
import io
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np

from charrnn import checkpoints
from charrnn.engines import loading as models
from charrnn.engines.exported import ExportedModel, export_npz
from charrnn.engines.decoding import softmax
from charrnn.system import console, files

CHECKED = 1000  # characters on which an export is held against the graph
# Far above what rounding makes of it (1e-5 and less, unless a network is very sure of itself), far below an error.
TOLERANCE = 1e-3


def export_saved_model(checkpoint, folder):
    """Write a SavedModel, whose signature ``serving_default`` takes ids and a state.

    Inputs are ``ids``, int32 [B, M], and ``state``, float32 [S, B, L]: the parts of the LSTM state one after the
    other, c and h of the first layer, then of the next. Outputs are ``probabilities``, float32 [B, M, C], of the
    character after each, and ``state``. ``vocabulary.txt`` among its assets has the characters in id order.

    Args:
        checkpoint: a Checkpoint.
        folder: the folder to make.

    Raises:
        ValueError: the folder exists.
        OSError: it cannot be written.
    """
    import tensorflow.compat.v1 as tf

    from charrnn.model import build_lstm, build_output
    if Path(folder).exists():
        raise ValueError("{} exists: name a folder that is not there yet".format(folder))
    aside = Path("{}.{}.tmp".format(folder, os.getpid()))
    num_classes = len(checkpoint.vocabulary)
    try:
        with tf.Graph().as_default(), tf.Session() as session:
            ids = tf.placeholder(tf.int32, [None, None], name="ids")  # [B, M]
            stack, zero = build_lstm(checkpoint.lstm_size, checkpoint.num_layers, tf.shape(ids)[0], 1.0,
                                     cell=checkpoint.cell)
            parts = tf.nest.flatten(zero)
            state = tf.placeholder(tf.float32, [len(parts), None, checkpoint.lstm_size], name="state")  # [S, B, L]
            outputs, after = tf.nn.dynamic_rnn(  # [B, M, L]
                stack, tf.one_hot(ids, num_classes), initial_state=tf.nest.pack_sequence_as(zero, tf.unstack(state)))
            prediction, _ = build_output(outputs, checkpoint.lstm_size, num_classes)  # [B·M, C]
            probabilities = tf.reshape(prediction, [tf.shape(ids)[0], -1, num_classes])  # [B, M, C]
            checkpoints.load_weights(session, checkpoint.prefix)
            tf.saved_model.simple_save(session, str(aside), {"ids": ids, "state": state},
                                       {"probabilities": probabilities, "state": tf.stack(tf.nest.flatten(after))})
        characters = "".join(checkpoint.vocabulary.chars).encode("utf-8", "surrogatepass")
        (aside / "assets").mkdir(exist_ok=True)
        files.write_atomically(aside / "assets" / "vocabulary.txt", characters)
        os.replace(str(aside), str(folder))
    except tf.errors.OpError as error:
        raise OSError("{} cannot be written: {}".format(folder, error.message))
    finally:
        shutil.rmtree(str(aside), ignore_errors=True)


def _graph_probabilities(checkpoint, ids):
    """Return what the graph gives each next character [T, C], the state carried through a text of ids [T]."""
    import tensorflow.compat.v1 as tf

    from charrnn.model import CharRNN
    model = CharRNN(len(checkpoint.vocabulary), 1, len(ids), checkpoint.lstm_size, checkpoint.num_layers,
                    cell=checkpoint.cell)
    with tf.Session() as session:
        checkpoints.load_weights(session, checkpoint.prefix)
        return session.run(model.prediction, {model.inputs: [ids], model.keep_prob: 1.0})


def _saved_model_probabilities(folder, ids, lstm_size):
    import tensorflow.compat.v1 as tf
    with tf.Graph().as_default(), tf.Session() as session:
        signature = tf.saved_model.load(session, ["serve"], str(folder)).signature_def["serving_default"]
        places = {name: info.name for name, info in signature.inputs.items()}
        parts = signature.inputs["state"].tensor_shape.dim[0].size
        return session.run(signature.outputs["probabilities"].name, {
            places["ids"]: [ids], places["state"]: np.zeros((parts, 1, lstm_size), np.float32)})[0]


def _numpy_probabilities(path, ids):
    model = models.load_engine(models.open_model(path))
    state, found = model.zero_state(), []
    for index in ids:
        logits, state = model.read([index], state)
        found.append(softmax(logits)[0])
    return np.array(found)


def _parser():
    parser = console.Parser(
        prog="charrnn-export", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Write a checkpoint as a model that needs no TensorFlow (.npz), or as a SavedModel, and hold it "
                    "against the graph.",
        epilog="examples:\n"
               "  charrnn-export checkpoints/small small.npz\n"
               "  charrnn-export checkpoints/small served --format saved-model")
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="a checkpoint, or a folder for its latest one")
    parser.add_argument("target", metavar="FILE", help="the .npz file to write, or the folder of a SavedModel")
    parser.add_argument("--format", choices=["npz", "saved-model"], default="npz", help="(default: npz)")
    models.add_arguments(parser)
    return parser


def main(argv=None):
    """Run ``charrnn-export``; return its exit status."""
    return console.run(_main, _parser(), argv)


def _main(args):
    found = models.open_named(args.checkpoint, args)
    if isinstance(found, ExportedModel):
        raise ValueError("{} is exported already".format(found.name))
    ids = np.random.RandomState(0).randint(len(found.vocabulary), size=CHECKED)
    if args.format == "npz":
        export_npz(found, args.target)
        exported = _numpy_probabilities(args.target, ids)
    else:
        export_saved_model(found, args.target)
        exported = _saved_model_probabilities(args.target, ids, found.lstm_size)
    difference = float(np.abs(exported - _graph_probabilities(found, ids)).max())
    if not difference < TOLERANCE:
        raise ValueError("{} gives other probabilities than {}, by up to {:.1e}: do not use it".format(
            args.target, found.prefix, difference))
    print("wrote {}: {} layers of {} units, {} characters; its probabilities are those of {} within {:.0e} over {:,} "
          "characters".format(args.target, found.num_layers, found.lstm_size, len(found.vocabulary), found.prefix,
                              difference, CHECKED))


if __name__ == "__main__":
    sys.exit(main())
