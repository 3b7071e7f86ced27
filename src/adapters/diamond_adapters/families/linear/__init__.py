"""The linear family: least squares, ridge and lasso, the best by cross-validated error."""
