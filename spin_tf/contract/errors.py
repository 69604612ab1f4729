"""Why an image cannot be read."""

from __future__ import annotations


class ImageError(ValueError):
    """An image that cannot be read.

    Attributes:
        reason: `"empty_file"`, `"file_too_large"`, `"not_an_image"`, `"too_many_pixels"`, `"broken_image"` or
            `"ambiguous_values"`.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are pickled by their arguments, of which the base class knows one: worker processes send them.
        return type(self), (str(self), self.reason)
