"""What the services have in common: contracts, and the machinery that moves them.

Knows no service. From low to high: ids, clock, limits; settings; telemetry; contracts; kafka and
database; messaging and web. Entities stay with their services: a lead or a deal is not shared.
"""
