"""What the API shows: SQL straight to the answer's model. Reads need no desk and take no lock."""
