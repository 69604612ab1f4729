"""The reading contract: what every reader of a model does between an image and a word, to the same numbers.

numpy alone. `tensorflow_twin` is the same inside a graph; the C++ reader and the page are twins in their languages,
with `constants` from a header and a module that `tools/generate_contract.py` writes.
"""
