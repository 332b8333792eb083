"""REST API of the catalogue, mounted at /api/v1/."""

app_name = "api"
urlpatterns = []
