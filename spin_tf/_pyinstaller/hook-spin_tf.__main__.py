"""`spin-tf COMMAND` finds its commands in a folder, and imports the one that is asked for by its name."""

from PyInstaller.utils.hooks import collect_submodules  # type: ignore

hiddenimports = collect_submodules("spin_tf.cli")
