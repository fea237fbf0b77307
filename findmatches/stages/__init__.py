"""The stages of matching: pure functions over the blocks of one part."""
