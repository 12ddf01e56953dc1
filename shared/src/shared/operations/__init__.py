"""What people who run a service ask of it over its own API: the same routes in every service.

Stands above `web` and `messaging`, because it shows the one what the other has parked.
"""
