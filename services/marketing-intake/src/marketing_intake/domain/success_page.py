"""Where a form may send its visitors: only to pages that the source allows, never elsewhere."""

from urllib.parse import SplitResult, urlsplit


def success_page(*, wanted: str | None, allowed: tuple[str, ...]) -> str | None:
    """Return the page wanted, if it is allowed or below one that is; else the first allowed."""
    if wanted and _is_plain(wanted) and any(_covers(page, wanted) for page in allowed):
        return wanted
    return allowed[0] if allowed else None


def _is_plain(url: str) -> bool:
    """Refuse what browsers and this code could read differently."""
    return url.isascii() and url.isprintable() and not set(url) & set(' \\"<>')


def _covers(page: str, wanted: str) -> bool:
    try:
        ours, theirs = urlsplit(page), urlsplit(wanted)
    except ValueError:
        return False
    if _origin(ours) != _origin(theirs) or ".." in theirs.path:
        return False
    below = ours.path.rstrip("/") + "/"
    return theirs.path == ours.path or theirs.path.startswith(below)


def _origin(parts: SplitResult) -> tuple[str, str]:
    return parts.scheme.lower(), parts.netloc.lower()
