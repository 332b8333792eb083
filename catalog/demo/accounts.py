"""Accounts of the demonstration, the same on each of its portals."""

from django.contrib.auth.models import Group

from catalog.models import User

ACCOUNTS = [  # user name, name, group
    ("admin", "门户管理员", "门户管理员"),
    ("reviewer", "审核员甲", "审核员"),
    ("reviewer2", "审核员乙", "审核员"),
    ("provider", "提供方", ""),
    ("provider2", "另一提供方", ""),
    ("seeker", "使用方", ""),
]


def make_account(username: str, name: str, group: str, password: str) -> User:
    user, created = User.objects.get_or_create(
        username=username,
        defaults={
            "display_name": name,
            "email": f"{username}@example.org",
            "is_staff": username == "admin",
            "is_superuser": username == "admin",
        },
    )
    if created:
        user.set_password(password)
        user.save()
        if group:
            user.groups.add(Group.objects.get(name=group))
    return user
