"""Pages where people work: registration, the provider's desk, the review desk, accounts."""

from django.urls import path

from catalog.views import accounts, bulk, demands, desk, operations, register, review, saved

urlpatterns = [
    path("accounts/signup/", accounts.sign_up, name="sign_up"),
    path("register/", register.start, name="register_start"),
    path("register/bulk/", bulk.bulk, name="register_bulk"),
    path("register/<uuid:uid>/samples/", register.upload_sample, name="register_sample"),
    path("register/<uuid:uid>/samples/<uuid:sample>/delete/", register.delete_sample, name="register_sample_delete"),
    path("register/<uuid:uid>/<slug:step>/", register.step, name="register_step"),
    path("desk/", desk.desk, name="desk"),
    path("desk/datasets/<uuid:uid>/", desk.dataset, name="desk_dataset"),
    path("desk/demands/", demands.desk_demands, name="desk_demands"),
    path("desk/searches/", saved.saved, name="saved_searches"),
    path("desk/members/", accounts.members, name="desk_members"),
    path("desk/keys/", accounts.keys, name="desk_keys"),
    path("desk/keys/<int:pk>/revoke/", accounts.revoke_key, name="desk_key_revoke"),
    path("desk/organizations/new/", accounts.organization_new, name="organization_new"),
    path("desk/notifications/read/", accounts.read_notifications, name="notifications_read"),
    path("operations/", operations.overview, name="operations"),
    path("review/demands/", demands.review_demands, name="review_demands"),
    path("review/", review.desk, name="review_desk"),
    path("review/<uuid:uid>/", review.review, name="review_detail"),
]
