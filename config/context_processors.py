"""What every template knows of the portal it is served by."""

from django.conf import settings
from django.utils.translation import gettext as _

from catalog.labels import portal_label


def portal(request):
    return {
        "portal": {
            "id": settings.PORTAL_ID,
            "role": settings.PORTAL_ROLE,
            "name": portal_label(settings.PORTAL_ID, settings.PORTAL_NAME),
            "short_name": settings.PORTAL_SHORT_NAME or settings.PORTAL_NAME[:2],
            "base_url": settings.PORTAL_BASE_URL,
        },
        "navigation": [
            {"url": url, "label": label, "current": request.path.startswith(url)}
            for url, label, shown in entries(getattr(request, "user", None))
            if shown
        ],
    }


def entries(user):
    """(url, label, shown): the public pages, then the desks that this user may open."""
    signed_in = bool(user and user.is_authenticated)
    reviewer = signed_in and (user.is_reviewer or user.is_portal_admin)
    return [
        ("/datasets/", _("数据集"), True),
        ("/map/", _("资源地图"), True),
        ("/quality/", _("质量"), True),
        ("/demands/", _("供需对接"), True),
        ("/register/", _("登记"), True),
        ("/review/", _("审核"), reviewer),
        ("/federation/", _("联邦"), True),
    ]
