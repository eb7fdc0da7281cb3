"""What a program is told that uses a part of TensorFlow 1 for which nothing stands on TensorFlow 2."""

NO_WAY = "there is no way on TensorFlow 2; TensorFlow 1.15 on Python 3.7 has it"
SCIKIT_LEARN = "use scikit-learn's {}"
OWN_LOOP = "write the training with tf.train and a session"

# By the beginning of a name. Python asks for the first part that is missing, so nothing below it has an entry.
INSTEAD = {
    "tensorflow.contrib.boosted_trees": SCIKIT_LEARN.format("GradientBoostingClassifier"),
    "tensorflow.contrib.cudnn_rnn": "use tf.contrib.rnn.LSTMCell or GRUCell with tf.nn.dynamic_rnn",
    "tensorflow.contrib.data": "use tf.data",
    "tensorflow.contrib.distributions": "pip install tensorflow_probability, and use its distributions",
    "tensorflow.contrib.eager": "remove charrnn.old, and write it for TensorFlow 2, which is eager by itself",
    "tensorflow.contrib.estimator": OWN_LOOP,
    "tensorflow.contrib.factorization": SCIKIT_LEARN.format("KMeans"),
    "tensorflow.contrib.framework.assign_from_checkpoint": "use tf.train.Saver(variables).restore",
    "tensorflow.contrib.framework.list_variables": "use tf.train.list_variables",
    "tensorflow.contrib.framework.load_variable": "use tf.train.load_variable",
    "tensorflow.contrib.keras": "use tf.keras",
    "tensorflow.contrib.layers.optimize_loss": "use tf.train.AdamOptimizer(learning_rate).minimize(loss)",
    "tensorflow.contrib.layers.summarize": "use tf.summary.histogram",
    "tensorflow.contrib.learn": f"{OWN_LOOP}, and read data sets with NumPy",
    "tensorflow.contrib.lookup": "use tf.lookup",
    "tensorflow.contrib.metrics": "use tf.metrics",
    "tensorflow.contrib.rnn.LSTMBlockCell": "use tf.contrib.rnn.LSTMCell, whose variables have other names",
    "tensorflow.contrib.rnn.LSTMBlockFusedCell": "use tf.contrib.rnn.LSTMCell with tf.nn.dynamic_rnn",
    "tensorflow.contrib.rnn.GRUBlockCell": "use tf.contrib.rnn.GRUCell, whose variables have other names",
    "tensorflow.contrib.seq2seq.InferenceHelper": "use tf.contrib.seq2seq.CustomHelper",
    "tensorflow.contrib.seq2seq.ScheduledEmbeddingTrainingHelper": "use tf.contrib.seq2seq.CustomHelper",
    "tensorflow.contrib.seq2seq.ScheduledOutputTrainingHelper": "use tf.contrib.seq2seq.CustomHelper",
    "tensorflow.contrib.slim": "pip install tf_slim, and import tf_slim as slim",
    "tensorflow.contrib.summary": "use tf.summary",
    "tensorflow.contrib.tensor_forest": SCIKIT_LEARN.format("RandomForestClassifier"),
    "tensorflow.contrib.tensorboard": "pip install tensorboard, and use tensorboard.plugins.projector",
    "tensorflow.contrib.tpu": "remove what is about TPUs",
    "tensorflow.contrib.training": "in place of HParams, use types.SimpleNamespace",
}


def message(name: str) -> str:
    """Return the words of an error for a name, such as ``tensorflow.contrib.learn``."""
    return f"charrnn has no {name} for TensorFlow 2: {_advice(name)}"


def _advice(name: str) -> str:
    """Return what the table says for the longest beginning of a name that it has."""
    beginnings = [beginning for beginning in INSTEAD if name.startswith(beginning)]
    if not beginnings:
        return NO_WAY
    return INSTEAD[max(beginnings, key=len)]
