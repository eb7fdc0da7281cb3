"""What a program is told that uses a part of TensorFlow 1 for which nothing stands on TensorFlow 2.

:data:`HINTS` has what is told beside an error of NumPy or Python.
"""

import importlib.util
from typing import Optional

BEGINNING = "charrnn has no"
NO_WAY = "there is no way on TensorFlow 2; TensorFlow 1.15 on Python 3.7 has it"
SCIKIT_LEARN = "use scikit-learn's {}"
OWN_LOOP = "write the training with tf.train and a session"
# the package that has the layers of TensorFlow 1, and the parts whose names it has
TF_SLIM = "tf_slim"
OF_TF_SLIM = (
    "tensorflow.contrib.framework",
    "tensorflow.contrib.layers",
    "tensorflow.contrib.losses",
    "tensorflow.contrib.metrics",
    "tensorflow.contrib.slim",
    "tensorflow.contrib.training",
)

# By the beginning of a name. Python asks for the first part that is missing, so nothing below it has an entry.
INSTEAD = {
    "tensorflow.contrib.boosted_trees": SCIKIT_LEARN.format("GradientBoostingClassifier"),
    "tensorflow.contrib.cudnn_rnn": "use tf.contrib.rnn.LSTMCell or GRUCell with tf.nn.dynamic_rnn",
    "tensorflow.contrib.data.batch_and_drop_remainder": "use dataset.batch(n, drop_remainder=True)",
    "tensorflow.contrib.data.padded_batch_and_drop_remainder": "use dataset.padded_batch with drop_remainder=True",
    "tensorflow.contrib.data.read_batch_features": "use tf.data.experimental.make_batched_features_dataset",
    "tensorflow.contrib.data.reduce_dataset": "use dataset.reduce",
    "tensorflow.contrib.data.sliding_window_batch": "use dataset.window",
    "tensorflow.contrib.data.sloppy_interleave": "use tf.data.experimental.parallel_interleave with sloppy=True",
    "tensorflow.contrib.distributions": "pip install tensorflow_probability, and use its distributions",
    "tensorflow.contrib.eager": "remove charrnn.old, and write it for TensorFlow 2, which is eager by itself",
    "tensorflow.contrib.estimator": OWN_LOOP,
    "tensorflow.contrib.factorization": SCIKIT_LEARN.format("KMeans"),
    "tensorflow.contrib.learn": f"{OWN_LOOP}, and read data sets with NumPy",
    "tensorflow.contrib.rnn.LSTMBlockCell": "use tf.contrib.rnn.LSTMCell, whose variables have other names",
    "tensorflow.contrib.rnn.LSTMBlockFusedCell": "use tf.contrib.rnn.LSTMCell with tf.nn.dynamic_rnn",
    "tensorflow.contrib.rnn.GRUBlockCell": "use tf.contrib.rnn.GRUCell, whose variables have other names",
    "tensorflow.contrib.seq2seq.InferenceHelper": "use tf.contrib.seq2seq.CustomHelper",
    "tensorflow.contrib.seq2seq.ScheduledEmbeddingTrainingHelper": "use tf.contrib.seq2seq.CustomHelper",
    "tensorflow.contrib.seq2seq.ScheduledOutputTrainingHelper": "use tf.contrib.seq2seq.CustomHelper",
    "tensorflow.contrib.summary": "use tf.summary",
    "tensorflow.contrib.tensor_forest": SCIKIT_LEARN.format("RandomForestClassifier"),
    "tensorflow.contrib.tpu": "remove what is about TPUs",
    "tensorflow.estimator": f"TensorFlow up to 2.15 and TensorFlow 1.15 have it; or {OWN_LOOP}",
}
# By a part of an error's message.
HINTS = {
    "only 0-dimensional arrays can be converted to Python scalars": "NumPy refuses int(array) for an array of one "
    "number from 2.4 on: write int(array.item()), or pip install 'numpy<2.4'",
    "'numpy.ndarray' object has no attribute 'tostring'": "NumPy removed it in 2.3: write tobytes(), which gives the "
    "same bytes",
    "The requested array has an inhomogeneous shape": "NumPy makes no array of numbers of lists of different "
    "lengths: those that are fed to TensorFlow need one length",
    "scipy.misc": "SciPy removed its functions for pictures in 1.2 and 1.3: write imageio.v2.imread, "
    "imageio.v2.imwrite, or PIL.Image.resize",
    "No module named 'distutils'": "Python removed it in 3.12: pip install setuptools",
}


def message(name: str) -> str:
    """Return the words of an error for a name, such as ``tensorflow.contrib.learn``."""
    return f"{BEGINNING} {name} for TensorFlow 2: {advice(name)}"


def is_message(error_message: str) -> bool:
    """Return whether an error is about a name for which nothing stands."""
    return error_message.startswith(BEGINNING)


def advice(name: str) -> str:
    """Return what to do without a name: what the table says for the longest beginning of it that the table has."""
    beginnings = [beginning for beginning in INSTEAD if name.startswith(beginning)]
    if beginnings:
        return INSTEAD[max(beginnings, key=len)]
    if name.startswith(OF_TF_SLIM) and importlib.util.find_spec(TF_SLIM) is None:
        return "pip install tf_slim"
    return NO_WAY


def hint(error_message: str) -> Optional[str]:
    """Return what to do about an error that newer versions of NumPy and Python raise; None for any other."""
    for pattern, remedy in HINTS.items():
        if pattern in error_message:
            return remedy
    return None
