"""The site's URLs."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

# As the settings leave it to this module, which only servers and checks import.
admin.autodiscover()

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("", include("subscriptions.api.urls")),  # last: it answers for unknown paths too
]
