"""Photographs in, their words out: a detector finds the words, the Recognizer reads them."""
