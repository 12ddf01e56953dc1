"""What loads and saves scorecards, leads and their touchpoints, in bulk."""
