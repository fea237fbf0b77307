"""Python client of the Glue Label Loop API."""

from label_loop.api import ApiClient, Response

__all__ = ["ApiClient", "Response"]
