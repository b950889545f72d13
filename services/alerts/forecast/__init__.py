"""How deep the water will stand: forecasts for low points, from their own depth, their neighbours, rain and tide."""
