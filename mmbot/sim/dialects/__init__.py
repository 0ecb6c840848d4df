"""The same exchange in three wordings: v4 (orders), seed (orders, older paths), legacy (wagers)."""
