"""The documented door to TFRecords of words; the room is `spin_tf.data.records`."""

from spin_tf.data.records.tfrecord import RecordIndex, ShardWriter, WordExample, find_shards, parse_example

__all__ = ["RecordIndex", "ShardWriter", "WordExample", "find_shards", "parse_example"]
