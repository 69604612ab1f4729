"""What a TFRecord of words is: its bytes, the example inside, reading by number, writing in shards."""
