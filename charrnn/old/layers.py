"""What ``tf.contrib.layers`` has and the package tf_slim lacks."""

from charrnn.system.tensorflow import tf

__all__ = ["embed_sequence"]


def embed_sequence(
    ids,
    vocab_size=None,
    embed_dim=None,
    unique=False,
    initializer=None,
    regularizer=None,
    trainable=True,
    scope=None,
    reuse=None,
):
    """Return the embeddings [batch, time, embed_dim] of ids [batch, time]. ``unique`` makes no difference to them."""
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        shape = [vocab_size, embed_dim]
        # variables that are used again have their shape
        if None in shape:
            shape = None
        embeddings = tf.get_variable(
            "embeddings",
            shape,
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
            collections=[tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES],
        )
        return tf.nn.embedding_lookup(embeddings, ids)
