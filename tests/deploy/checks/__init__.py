"""What must be so of rendered manifests: each check takes all objects and gives complaints."""
