"""An agent that can send parcels."""
