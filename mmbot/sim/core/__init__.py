"""The pure core of the exchange: orders, books, money and the life of what is listed."""
