"""How much each caller may ask for: points that flow into a bucket, and that operations take out."""
