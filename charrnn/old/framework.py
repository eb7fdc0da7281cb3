"""``tf.contrib.framework`` for TensorFlow 2: what is left of it in TensorFlow under another name."""

from charrnn.system.tensorflow import tf

__all__ = ["get_or_create_global_step", "nest"]

get_or_create_global_step = tf.train.get_or_create_global_step
nest = tf.nest
