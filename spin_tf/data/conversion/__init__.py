"""From data sets of others to TFRecords of words: sources, cropping, the plan, the shards and the report."""
