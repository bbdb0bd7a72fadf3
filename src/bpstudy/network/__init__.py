"""Atomic networks: the Keras model, its scaler, the same network in NumPy, and its training domain."""
