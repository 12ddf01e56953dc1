"""Tables, what loads and saves them in bulk, and the phone library. No rule of the business."""
