"""Generates docs/api from the code: OpenAPI, AsyncAPI, JSON Schemas, EventBridge's schema registry, and a page to read."""
