"""The use cases: train models, choose the champion, price stones, find similar stones, ..."""
