"""dG/dR of frames of one size as the dense arrays that tests compare with."""

import numpy as np

from bpstudy.descriptors.gradients import ForceSet, Gradients


def force_set_of(features, dense, forces, frames):
    """From {element: (n_frames, n_atoms, n_components, n_functions)}, every entry kept, and forces of `frames`."""
    n_frames, n_components = forces.shape
    gradients = {}
    for element, d in dense.items():
        n_atoms = d.shape[1]
        first = np.searchsorted(features.rows[element].frame, frames)
        component = np.repeat(np.arange(n_frames * n_components), n_atoms)
        row = np.repeat(first, n_components * n_atoms) + np.tile(np.arange(n_atoms), n_frames * n_components)
        gradients[element] = Gradients(component, row, d.swapaxes(1, 2).reshape(-1, d.shape[3]))
    return ForceSet(np.repeat(frames, n_components), gradients, forces.ravel())


def dense_gradients(forces, features, element):
    """(n_components, n_rows, n_functions)."""
    d = forces.gradients[element]
    found = np.zeros((len(forces.frame), len(features.rows[element].values), d.values.shape[1]))
    found[d.component, d.row] = d.values
    return found
