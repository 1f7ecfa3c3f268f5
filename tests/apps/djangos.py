"""A Django project in one file, by both interfaces."""

import json

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

if not settings.configured:
    settings.configure(DEBUG=False, SECRET_KEY="-", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[])


@csrf_exempt
def double(request):
    return JsonResponse({"y": 2 * json.loads(request.body)["x"]})


urlpatterns = [path("double", double)]
asgi, wsgi = get_asgi_application(), get_wsgi_application()
