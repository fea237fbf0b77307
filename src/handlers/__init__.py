"""The entry points: AWS event in, call core, AWS response out."""
