"""What the record says about the prices: outcomes, drift, replay."""
