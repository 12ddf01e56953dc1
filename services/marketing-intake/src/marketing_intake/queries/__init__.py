"""What the API shows: SQL straight to the response model. Nothing here changes anything."""
