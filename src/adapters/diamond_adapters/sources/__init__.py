"""Where stones come from: CSV files and URLs, SQL tables, and the bundled data set."""
