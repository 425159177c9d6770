"""Keras 3 ``fit`` on TensorFlow, with Keras' augmentation layers in the input pipeline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf
import torch

from fbench.architectures.registry import create
from fbench.benchmark.records.protocol import AdamW
from tests.peers.contestants import Contestant, Task, faces_of, factor
from tests.peers.keras_networks import to_keras

if TYPE_CHECKING:
    import numpy.typing as npt

    from fbench.benchmark.records.protocol import Augmentation, Protocol


class Ends(keras.callbacks.Callback):
    """When each step ended."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self.times.append(time.perf_counter())


class SameSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """The protocol's factors, looked up by step."""

    def __init__(self, task: Task) -> None:
        rate = task.protocol.optimizer.learning_rate
        self._rates = tf.constant([rate * factor(task, step) for step in range(task.scheduled_steps)], tf.float32)

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        return tf.gather(self._rates, tf.minimum(tf.cast(step, tf.int32), len(self._rates) - 1))


def keras_contestant(task: Task) -> Contestant:
    """Build model and pipeline; each block is a ``fit`` of so many steps."""
    tf.config.threading.set_intra_op_parallelism_threads(task.threads)
    tf.config.threading.set_inter_op_parallelism_threads(task.threads)
    keras.utils.set_random_seed(task.seed)
    torch.manual_seed(task.seed)
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if task.precision == "bf16" else "float32")
    protocol = task.protocol
    model = to_keras(create(task.network), (1, 48, 48), exact_borders=False).model
    model.compile(optimizer(model, task), smoothed_loss(protocol), metrics=["categorical_accuracy"])
    images = pipeline(task)

    def block(steps: int) -> float:
        ends = Ends()
        model.fit(images, steps_per_epoch=steps, epochs=1, verbose=0, callbacks=[ends])
        return ends.times[-1] - ends.times[0]

    def classify(values: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        return np.asarray(model.predict(values[..., np.newaxis], batch_size=256, verbose=0)).argmax(1)

    return Contestant(block, classify)


def optimizer(model: keras.Model, task: Task) -> keras.optimizers.Optimizer:
    """AdamW with the protocol's schedule, clipping and decaying kernels."""
    protocol, settings = task.protocol, task.protocol.optimizer
    if not isinstance(settings, AdamW):
        raise TypeError("the peers are written for a protocol with AdamW")
    made = keras.optimizers.AdamW(
        SameSchedule(task),
        weight_decay=settings.weight_decay,
        epsilon=settings.epsilon,
        global_clipnorm=protocol.gradient_clip_norm,
    )
    made.exclude_from_weight_decay([weight for weight in model.trainable_variables if len(weight.shape) < 2])
    return made


def smoothed_loss(protocol: Protocol) -> keras.losses.Loss:
    """Cross-entropy on logits with the protocol's label smoothing."""
    return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=protocol.label_smoothing)


def augmentation(settings: Augmentation) -> keras.Sequential:
    """The same ranges as the protocol's; a rotation of 1 is a full turn."""
    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(settings.rotation_degrees / 360, fill_mode="nearest"),
            keras.layers.RandomTranslation(settings.shift_fraction, settings.shift_fraction, fill_mode="nearest"),
            keras.layers.RandomZoom(settings.zoom_fraction, fill_mode="nearest"),
        ]
    )


def pipeline(task: Task) -> tf.data.Dataset:
    """Shuffled batches without end, augmented batch by batch beside training."""
    faces = faces_of(task.dataset)
    changed = augmentation(task.protocol.augmentation)
    classes = len(task.dataset.class_names)

    def prepare(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        values = (tf.cast(images, tf.float32)[..., tf.newaxis] - faces.mean) / faces.deviation
        return changed(values, training=True), tf.one_hot(labels, classes)

    whole = tf.data.Dataset.from_tensor_slices((faces.images, faces.labels)).repeat()
    batches = whole.shuffle(4096, seed=task.seed).batch(task.protocol.batch_size, drop_remainder=True)
    return batches.map(prepare, num_parallel_calls=task.threads).prefetch(2)
