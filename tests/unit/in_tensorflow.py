"""The networks in TensorFlow's operations, for derivatives by automatic differentiation."""

import tensorflow as tf

FUNCTIONS = {"tanh": tf.tanh, "sigmoid": tf.sigmoid, "softplus": tf.nn.softplus, "linear": tf.identity}


def variables_of(network):
    """The weights to train, in the order of the flat vector."""
    return [tf.Variable(variable.numpy()) for variable in network.variables()]


def atomic_energies(network, variables, inputs):
    """ε (n_atoms,) of each element, eV, from raw functions (n_atoms, n_functions) of each element."""
    left, scale, found = iter(variables), network.energy_scale, []
    for element, values in zip(network.labels, inputs, strict=True):
        factor, shift = network.standardise(element)
        z = y = factor * values + shift
        for layer in network.dense(element):
            y = FUNCTIONS[layer.activation.__name__](y @ next(left) + next(left))
        if network.direct(element) is not None:
            y += z @ next(left)
        found.append(scale.offsets_ev[element] + scale.scale_ev * y[:, 0])
    return found
