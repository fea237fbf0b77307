"""Work on tables in parts: blocks of numpy arrays, stages that turn blocks into blocks, and exchanges that move them."""
