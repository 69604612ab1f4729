from __future__ import annotations

import os
import pathlib

from spin_tf._files import check_output_folder, write_atomically
from spin_tf.photo.annotate import annotate
from spin_tf.photo.words import Photo
from spin_tf.reading.images import ImageLike


class Annotations:
    """Pictures with their words drawn on them, each under a name of its own.

    Args:
        folder: made if need be.

    Raises:
        OSError: nothing can be written there.
    """

    def __init__(self, folder: str) -> None:
        check_output_folder(folder)
        self._folder = folder
        self._taken: set[str] = set()

    def write(self, path: str, image: ImageLike, photo: Photo) -> None:
        """Draws the words of the photograph `image`, which was named as `path`."""
        stem = name = pathlib.Path(path).stem
        number = 2
        while name.lower() in self._taken:
            name, number = f"{stem}-{number}", number + 1
        self._taken.add(name.lower())
        picture = annotate(image, photo)
        target = os.path.join(self._folder, f"{name}.jpg")
        write_atomically(target, lambda temporary: picture.save(temporary, "JPEG", quality=92))
