"""Bearer tokens for machines: `token create USERNAME` prints the secret alone; `list` and `revoke` manage what exists."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from catalog.api.authentication import create_token
from catalog.models import ApiToken, User

MAX_DAYS = 3650


class Command(BaseCommand):
    help = "Create, list or revoke API tokens."

    def add_arguments(self, parser):
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="print a new token, once")
        create.add_argument("username")
        create.add_argument("--scope", default="read", help="comma-separated: read, write, review, admin (default read)")
        create.add_argument("--days", type=int, default=90, help="until it expires (default 90)")
        create.add_argument("--name", default="", help="what it is for")
        show = actions.add_parser("list", help="tokens with prefix, scopes, expiry")
        show.add_argument("username", nargs="?")
        revoke = actions.add_parser("revoke", help="end a token at once")
        revoke.add_argument("prefix", help="its first characters, as `list` shows them, or its number")

    def handle(self, *, action, **options):
        getattr(self, action)(options)

    def create(self, options):
        if not 1 <= options["days"] <= MAX_DAYS:
            raise CommandError(f"--days must be 1 to {MAX_DAYS}.")
        scopes = list(dict.fromkeys(scope.strip() for scope in options["scope"].split(",") if scope.strip()))
        try:
            _token, secret = create_token(self.user(options["username"]), scopes=scopes, days=options["days"], name=options["name"][:80])
        except ValueError as error:
            raise CommandError(f"Unknown scope: {error}.") from None
        self.stdout.write(secret)

    def user(self, username) -> User:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        return user

    def list(self, options):
        rows = ApiToken.objects.select_related("user").order_by("id")
        if options["username"]:
            rows = rows.filter(user=self.user(options["username"]))
        for token in rows:
            state = "usable" if token.is_usable else "revoked" if token.revoked_at else "expired or user inactive"
            self.stdout.write(
                f"{token.pk}\t{token.prefix}…\t{token.user.username}\t{','.join(token.scopes)}\t{token.expires_at:%Y-%m-%d}\t{state}\t{token.name}"
            )

    def revoke(self, options):
        prefix = options["prefix"].removesuffix("…")
        rows = ApiToken.objects.filter(pk=int(prefix)) if prefix.isdigit() and len(prefix) < 10 else ApiToken.objects.filter(prefix=prefix)
        if rows.count() != 1:
            raise CommandError(f"{rows.count()} tokens match {prefix!r}; name one by its number from `token list`.")
        rows.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.stdout.write(f"revoked {prefix}")
