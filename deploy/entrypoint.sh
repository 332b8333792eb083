#!/bin/sh
# One process of a portal: web | worker | clock | migrate | any manage.py command. `exec`, so that it gets the signals itself.
set -eu
cd "${JIMU_HOME:-$(dirname "$(readlink -f "$0")")/..}" 2>/dev/null || cd /srv/jimu/app
[ -f manage.py ] || cd /srv/jimu/app

case "${1:-web}" in
migrate) # once per release, before the others
    python manage.py migrate --no-input --verbosity 0
    python manage.py load_vocabularies
    exec python manage.py collectstatic --no-input --verbosity 0 --ignore redoc
    ;;
web) # sync workers: nginx before them takes the slow clients; --max-requests bounds what a leak could cost
    exec python -m gunicorn config.wsgi:application --bind "${JIMU_BIND:-0.0.0.0:8000}" --workers "${PORTAL_WEB_WORKERS:-2}" \
        --worker-class sync --timeout 60 --graceful-timeout 20 --max-requests 20000 --max-requests-jitter 2000 --worker-tmp-dir /dev/shm
    ;;
worker)
    exec python -m celery --quiet --app config worker --pool "${JIMU_POOL:-threads}" --concurrency "${PORTAL_TASK_WORKERS:-4}" --loglevel WARNING
    ;;
clock) # one per portal
    exec python -m celery --quiet --app config beat --schedule "${PORTAL_DATA_DIR:-/var/lib/jimu}/beat-schedule" --pidfile "" --loglevel WARNING
    ;;
*)
    exec python manage.py "$@"
    ;;
esac
