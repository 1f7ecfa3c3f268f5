"""What an inference costs: dated prices and the law that turns demand into money."""
