"""Pages of federation."""

app_name = "federation"
urlpatterns = []
