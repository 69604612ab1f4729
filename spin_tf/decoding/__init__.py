"""What the reader knows, used in reading: beam search over a stepping model under lexicons, patterns and allowlists."""
