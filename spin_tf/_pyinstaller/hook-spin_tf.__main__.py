"""`spin-tf COMMAND` finds its commands in a folder, and imports the one that is asked for by its name."""

from spin_tf.__main__ import commands

hiddenimports = [f"spin_tf.cli.{name}" for name in commands()]
