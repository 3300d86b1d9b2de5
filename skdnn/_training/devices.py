"""The devices that the user has a network trained on, as Keras and TensorFlow know it.

With JAX it is `keras.distribution.set_distribution`, with TensorFlow the scope of a
`tf.distribute.Strategy`. Each device takes a part of the rows of every batch.
"""

from typing import Any

from skdnn._runtime import keras_backend


def row_sharding() -> Any:
    """Return JAX's sharding of rows over several devices; None if there is one."""
    keras = keras_backend.load()
    if keras_backend.backend() != "jax":
        return None
    distribution = keras.distribution.distribution()
    if not isinstance(distribution, keras.distribution.DataParallel):
        return None
    if distribution.device_mesh.devices.size < 2:
        return None
    return distribution.get_data_layout((None,)).backend_layout


def strategy() -> Any:
    """Return TensorFlow's strategy for several devices in this thread, if any."""
    if keras_backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    if not tf.distribute.has_strategy():
        return None
    current = tf.distribute.get_strategy()
    return current if current.num_replicas_in_sync > 1 else None


def check_equal_parts(n_rows: int, batch_size: int) -> None:
    """Raise ``ValueError`` for batches that ``Model.fit`` cannot share in JAX."""
    sharding = row_sharding()
    if sharding is None:
        return
    n = sharding.num_devices
    if n_rows % n or batch_size % n:
        raise ValueError(
            "Training rows and batch_size must be multiples of the number of devices, "
            f"where Keras's own loop trains on {n} of them with JAX. Got {n_rows} rows "
            f"in batches of {batch_size}. Set batch_size to a multiple of {n}, and "
            f"leave {n_rows % n} rows out."
        )
