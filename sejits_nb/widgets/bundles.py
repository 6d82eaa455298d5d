"""What a front end is given of one output: MIME bundles."""

from __future__ import annotations

import base64
from typing import Any

from .markup import image_html

Bundle = tuple[dict[str, Any], dict[str, Any]]
"""Data by MIME type, and metadata by MIME type."""


def image_bundle(image: bytes, alt: str, size: tuple[int, int]) -> Bundle:
    """A PNG of *size* pixels, with what it shows in words."""
    png = base64.b64encode(image).decode("ascii")
    data = {"text/plain": alt, "text/html": image_html(png, alt, size), "image/png": png}
    return data, {"image/png": {"alt": alt}}
