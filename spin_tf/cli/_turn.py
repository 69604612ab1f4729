"""The flag --turn of reading words; that of photographs is another one."""

from __future__ import annotations

from absl import flags

from spin_tf.contract.turning import TURN

HELP_TITLE = "how words are read"

DIRECTIONS = flags.DEFINE_enum(
    "turn",
    "tall",
    TURN,
    "in which directions crops are read; the surest reading counts. tall: those at least 1.5 times as high as wide "
    "turned by a quarter too; auto: all of them upside down besides; none: as they are",
)
