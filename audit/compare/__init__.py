"""Room of the house: see DESIGN."""
