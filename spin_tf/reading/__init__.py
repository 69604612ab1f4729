"""The parts of a `Recognizer`: images in, models behind one protocol, decoding, words out."""
