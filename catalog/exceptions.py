"""Domain errors. The pages show their text; the API answers them as problem details (config/api.py)."""


class DomainError(Exception):
    """A request that cannot be done; its text is for people. `status` is the HTTP answer."""

    status = 400
    code = "domain_error"


class InvalidTransition(DomainError):
    status = 409
    code = "invalid_transition"


class NotAllowed(DomainError):
    status = 403
    code = "not_allowed"


class ListingInvalid(DomainError):
    """Fields of a listing that do not hold: `errors` is [{"pointer", "code", "message"}]."""

    status = 422
    code = "listing_invalid"

    def __init__(self, errors: list[dict]):
        self.errors = errors
        super().__init__("；".join(f"{e['pointer']}: {e['message']}" for e in errors[:5]))


class Conflict(DomainError):
    status = 409
    code = "conflict"
