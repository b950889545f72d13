"""The page that shows a backtest beside the truth."""
