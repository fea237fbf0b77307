"""Credentials and region of boto3 clients on moto and on the local cloud."""

from typing import Any

CREDENTIALS: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
