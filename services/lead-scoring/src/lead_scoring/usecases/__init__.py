"""What scoring does when it hears something or somebody edits a scorecard: one act a file."""
