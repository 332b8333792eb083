"""Pages and endpoints of federation."""

from django.urls import path

from federation import api
from federation.views import acts, centre, exchange, samples

app_name = "federation"
urlpatterns = [
    path(".well-known/dataset-federation", exchange.describe, name="describe"),
    path("fed/v1/enrol", exchange.enrol, name="enrol"),
    path("fed/v1/notify", exchange.notify, name="notify"),
    path("fed/v1/keys", exchange.key_list, name="keys"),
    path("fed/v1/health", exchange.health_of, name="health"),
    path("fed/v1/inbox/<slug:stream>", exchange.bring, name="inbox"),
    path("fed/v1/custody/<slug:portal_id>", exchange.keep, name="custody"),
    path("fed/v1/streams/<slug:stream>/changes", exchange.changes, name="changes"),
    path("fed/v1/streams/<slug:stream>/snapshot", exchange.snapshot, name="snapshot"),
    path("fed/v1/streams/<slug:stream>/recon", exchange.reconcile, name="reconcile"),
    path("fed/v1/streams/<slug:stream>/ack", exchange.acknowledge, name="acknowledge"),
    path("fed/v1/samples/<uuid:uid>", samples.redeem, name="sample_redeem"),
    path("samples/<uuid:uid>/ticket/", samples.ticket, name="sample_ticket"),
    path("federation/", centre.overview, name="overview"),
    path("federation/portals/<slug:portal_id>/", acts.portal_or_act, name="portal"),
    path("federation/runs/", centre.runs, name="runs"),
    path("federation/runs.csv", centre.runs_csv, name="runs_csv"),
    path("federation/quarantine/", acts.quarantine_or_act, name="quarantine"),
    path("federation/quarantine/<int:pk>/", centre.parked, name="parked"),
    path("federation/decisions/", centre.decision_list, name="decisions"),
    path("federation/keys/", acts.act_on_keys, name="act_on_keys"),
    path("federation/invite/", acts.invite, name="invite"),
    path("federation/enrol/", acts.enrol, name="enrol"),
    path("federation/datasets/<uuid:uid>/record/", centre.raw_record, name="raw_record"),
    path("federation/datasets/<uuid:uid>/decide/", acts.decide, name="decide"),
    path("api/v1/datasets/<uuid:uid>/takedown/", api.TakedownView.as_view(), name="api_takedown"),
    path("api/v1/datasets/<uuid:uid>/restore/", api.RestoreView.as_view(), name="api_restore"),
]
