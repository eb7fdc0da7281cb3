"""Make the network of a model in Keras, with any backend, and compare what both give."""

import keras
import numpy as np

from charrnn import open_model

model = open_model("anna")
size, chars = model.lstm_size, len(model.vocabulary)


def reordered(weights):  # gates i, j, f, o become i, f, j, o
    i, j, f, o = np.split(weights, 4, axis=-1)
    return np.concatenate([i, f, j, o], axis=-1)


layers = [keras.layers.LSTM(size, return_sequences=True) for _ in range(model.num_layers)]
network = keras.Sequential(
    [keras.Input((None, chars)), *layers, keras.layers.Dense(chars, "softmax")]
)
weights = []
for kernel, bias in zip(
    model.kernels, model.biases
):  # the bias has the 1 that TensorFlow adds to the gate f
    weights += [*np.split(reordered(kernel), [-size]), reordered(bias)]
network.set_weights([*weights, model.softmax_kernel, model.softmax_bias])

one_hot = np.eye(chars)[model.vocabulary.encode("Happy families ")]  # [T, C]
chances = network.predict(one_hot[np.newaxis], verbose=0)[0, -1]
print("The largest difference:", abs(chances - model.next("Happy families ")).max())
