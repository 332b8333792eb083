"""Pages where people evaluate and supervise."""

from django.urls import path

from quality.views import audit, follow_up, supervision, work

urlpatterns = [
    path("quality/desk/", work.desk, name="desk"),
    path("quality/assignments/<uuid:uid>/", work.assignment, name="assignment"),
    path("quality/rounds/<uuid:uid>/", work.round_page, name="round"),
    path("quality/adjudications/<uuid:uid>/", work.adjudication, name="adjudication"),
    path("quality/audits/<uuid:uid>/", audit.audit, name="audit"),
    path("quality/experts/", supervision.experts, name="experts"),
    path("quality/bodies/", supervision.bodies, name="bodies"),
    path("quality/supervision/", supervision.history, name="supervision"),
    path("quality/cases/", supervision.case_list, name="cases"),
    path("quality/cases/<uuid:uid>/", supervision.case, name="case"),
    path("quality/cases/<uuid:uid>/files/<int:pk>/", supervision.attachment, name="case_attachment"),
    path("datasets/<uuid:uid>/quality/follow-up/", follow_up.follow_up, name="follow_up"),
    path("datasets/<uuid:uid>/quality/draws/<uuid:draw>.csv", follow_up.draw_list, name="draw_list"),
]
