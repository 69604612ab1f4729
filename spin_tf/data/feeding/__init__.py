"""From TFRecords to the batches of a training step: labels, order, augmentation, the pipeline."""
