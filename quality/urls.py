"""Pages of quality."""

app_name = "quality"
urlpatterns = []
