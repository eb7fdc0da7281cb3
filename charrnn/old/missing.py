"""What a program is told that uses a part of TensorFlow 1 for which nothing stands on TensorFlow 2.

:data:`HINTS` has what is told beside an error of NumPy or Python.
"""

from typing import Optional

BEGINNING = "charrnn has no"
NO_WAY = "there is no way on TensorFlow 2; TensorFlow 1.15 on Python 3.7 has it"
SCIKIT_LEARN = "use scikit-learn's {}"
OWN_LOOP = "write the training with tf.train and a session"
TF_SLIM = "pip install tf_slim, and use tf_slim.{name}"
DATA = "use tf.data.{name}"
EXPERIMENTAL = "use tf.data.experimental.{name}"

# Names that tf_slim has, by their part.
IN_TF_SLIM = {
    "tensorflow.contrib.framework": """
        VariableDeviceChooser add_arg_scope add_model_variable arg_scope arg_scoped_arguments assert_global_step
        assert_or_get_global_step assign_from_checkpoint assign_from_checkpoint_fn assign_from_values
        assign_from_values_fn create_global_step current_arg_scope filter_variables get_global_step
        get_local_variables get_model_variables get_trainable_variables get_unique_variable
        get_variable_full_name get_variables get_variables_by_name get_variables_by_suffix
        get_variables_to_restore has_arg_scope model_variable variable
    """.split(),
    "tensorflow.contrib.layers": """
        GDN RevBlock avg_pool3d bias_add conv1d conv2d_in_plane conv3d conv3d_transpose convolution
        convolution1d convolution2d_in_plane convolution3d convolution3d_transpose dense_to_sparse elu gdn
        group_norm images_to_sequence instance_norm layer_norm legacy_fully_connected legacy_linear legacy_relu
        max_pool3d maxout optimize_loss relu6 repeat rev_block scale_gradient separable_conv2d
        separable_convolution2d sequence_to_images softmax spatial_softmax stack summarize_activation
        summarize_activations summarize_collection summarize_tensor summarize_tensors unit_norm
    """.split(),
}
# By the beginning of a name. Python asks for the first part that is missing, so nothing below it has an entry.
INSTEAD = {
    "tensorflow.contrib.boosted_trees": SCIKIT_LEARN.format("GradientBoostingClassifier"),
    "tensorflow.contrib.cudnn_rnn": "use tf.contrib.rnn.LSTMCell or GRUCell with tf.nn.dynamic_rnn",
    "tensorflow.contrib.data": EXPERIMENTAL,
    "tensorflow.contrib.data.Dataset": DATA,
    "tensorflow.contrib.data.FixedLengthRecordDataset": DATA,
    "tensorflow.contrib.data.Iterator": DATA,
    "tensorflow.contrib.data.TFRecordDataset": DATA,
    "tensorflow.contrib.data.TextLineDataset": DATA,
    "tensorflow.contrib.data.CheckpointInputPipelineHook": NO_WAY,
    "tensorflow.contrib.data.LMDBDataset": NO_WAY,
    "tensorflow.contrib.data.assert_element_shape": NO_WAY,
    "tensorflow.contrib.data.batch_and_drop_remainder": "use dataset.batch(n, drop_remainder=True)",
    "tensorflow.contrib.data.padded_batch_and_drop_remainder": "use dataset.padded_batch with drop_remainder=True",
    "tensorflow.contrib.data.python": "use tf.data",
    "tensorflow.contrib.data.read_batch_features": "use tf.data.experimental.make_batched_features_dataset",
    "tensorflow.contrib.data.reduce_dataset": "use dataset.reduce",
    "tensorflow.contrib.data.sliding_window_batch": "use dataset.window",
    "tensorflow.contrib.data.sloppy_interleave": "use tf.data.experimental.parallel_interleave with sloppy=True",
    "tensorflow.contrib.distributions": "pip install tensorflow_probability, and use its distributions",
    "tensorflow.contrib.eager": "remove charrnn.old, and write it for TensorFlow 2, which is eager by itself",
    "tensorflow.contrib.estimator": OWN_LOOP,
    "tensorflow.contrib.factorization": SCIKIT_LEARN.format("KMeans"),
    "tensorflow.contrib.framework.global_variable": "use tf.Variable",
    "tensorflow.contrib.framework.list_variables": "use tf.train.list_variables",
    "tensorflow.contrib.framework.load_variable": "use tf.train.load_variable",
    "tensorflow.contrib.framework.local_variable": "use tf.Variable with collections=[tf.GraphKeys.LOCAL_VARIABLES]",
    "tensorflow.contrib.keras": "use tf.keras",
    "tensorflow.contrib.layers.summarize": "use tf.summary.histogram",
    "tensorflow.contrib.learn": f"{OWN_LOOP}, and read data sets with NumPy",
    "tensorflow.contrib.lookup": "use tf.lookup",
    "tensorflow.contrib.metrics": "use tf.metrics, where streaming_accuracy is accuracy",
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
    "tensorflow.contrib.training.HParams": "use types.SimpleNamespace, which has neither parse nor values",
    "tensorflow.contrib.training.create_train_op": "pip install tf_slim, and use tf_slim.learning.create_train_op",
    "tensorflow.estimator": f"TensorFlow up to 2.15 and TensorFlow 1.15 have it; or {OWN_LOOP}",
}
# By a part of an error's message.
HINTS = {
    "only 0-dimensional arrays can be converted to Python scalars": "NumPy refuses int(array) for an array of one "
    "number from 2.4 on: write int(array.item()), or pip install 'numpy<2.4'",
    "'numpy.ndarray' object has no attribute 'tostring'": "NumPy removed it in 2.3: write tobytes(), which gives the "
    "same bytes",
    "The requested array has an inhomogeneous shape": "NumPy makes no array of lists of different lengths from 1.24 "
    "on: write np.array(lists, dtype=object); lists that are fed to TensorFlow need one length",
    "decorated with @add_arg_scope": "tf_slim.arg_scope takes layers of tf_slim only, and none of tf.contrib.layers",
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
    part, _, last = name.rpartition(".")
    if last in IN_TF_SLIM.get(part, ()):
        return TF_SLIM.format(name=last)
    beginnings = [beginning for beginning in INSTEAD if name.startswith(beginning)]
    if not beginnings:
        return NO_WAY
    return INSTEAD[max(beginnings, key=len)].format(name=last)


def hint(error_message: str) -> Optional[str]:
    """Return what to do about an error that newer versions of NumPy and Python raise; None for any other."""
    for pattern, remedy in HINTS.items():
        if pattern in error_message:
            return remedy
    return None
