"""`/_box`: looking at the box and steering it."""
