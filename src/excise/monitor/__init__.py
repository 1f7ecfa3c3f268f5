"""What is seen of production while it runs: requests, as they come in."""
