"""What people do with the core: train models, choose the champion, price, find similar stones."""
