"""Make the network of a model in PyTorch, and compare what both give."""

import numpy as np
import torch

from charrnn import open_model

model = open_model("anna")
size, chars = model.lstm_size, len(model.vocabulary)


def tensor(weights):  # gates i, j, f, o become i, f, j, o, and PyTorch has its matrices transposed
    i, j, f, o = np.split(weights, 4, axis=-1)
    return torch.tensor(np.concatenate([i, f, j, o], axis=-1).T)


lstm, output = torch.nn.LSTM(chars, size, model.num_layers), torch.nn.Linear(size, chars)
state = {
    f"bias_hh_l{layer}": torch.zeros(4 * size) for layer in range(model.num_layers)
}  # a second bias
for layer, kernel in enumerate(model.kernels):
    state[f"weight_ih_l{layer}"], state[f"weight_hh_l{layer}"] = map(
        tensor, np.split(kernel, [-size])
    )
    state[f"bias_ih_l{layer}"] = tensor(
        model.biases[layer]
    )  # with the 1 that TensorFlow adds to the gate f
lstm.load_state_dict(state)
output.load_state_dict(
    {"weight": torch.tensor(model.softmax_kernel.T), "bias": torch.tensor(model.softmax_bias)}
)

one_hot = torch.eye(chars)[model.vocabulary.encode("Happy families ")]  # [T, C]
chances = output(lstm(one_hot)[0])[-1].softmax(0).detach().numpy()
print("The largest difference:", abs(chances - model.next("Happy families ")).max())
