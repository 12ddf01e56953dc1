"""What this service is called: by people, in logs, in metrics, and at the topics."""

SERVICE = "marketing-intake"
