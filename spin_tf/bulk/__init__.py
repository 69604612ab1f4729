"""Reading many words on many machines: what travels, what comes out, and the pipelines."""
