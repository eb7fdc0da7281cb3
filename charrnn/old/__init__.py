"""Programs for TensorFlow 1, unchanged, on TensorFlow 1.15 or 2.

In a notebook, ``import charrnn.old`` is the first cell. After it, ``import tensorflow as tf`` is the interface of
version 1, with what tutorials use of ``tf.contrib``. The command ``charrnn-old`` runs a program or a notebook in this
way. :func:`uninstall` ends it. With TensorFlow 1.15, all of this is TensorFlow's own.
"""

from charrnn.old.interface import install, uninstall

__all__ = ["install", "uninstall"]

install()
