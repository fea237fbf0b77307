"""Python client of the Glue Label Loop API."""

from label_loop.api import Answer, Api

__all__ = ["Answer", "Api"]
