"""What moves money."""
