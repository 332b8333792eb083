#!/usr/bin/env bash
# PostgreSQL, Redis and Elasticsearch for development and CI, without containers: deploy/services.sh start|stop|status
# `cluster start|stop`: several Elasticsearch nodes beside these, for one test, on ports from JIMU_CLUSTER_PORT on.
#
# Each runs as an unprivileged user on a port and folder of its own, stopped by its pid file. What is set in the environment
# already (DATABASE_URL, REDIS_URL, ELASTICSEARCH_URL) is used and not started. Addresses go to var/services/env.
set -u
umask 022

ROOT=$(cd "$(dirname "$0")/.." && pwd)
ENV_FILE=$ROOT/var/services/env
PG_PORT=${JIMU_PG_PORT:-15432}
REDIS_PORT=${JIMU_REDIS_PORT:-16379}
ES_PORT=${JIMU_ES_PORT:-19200}
ES_VERSION=8.19.3
ES_ARTIFACT=org.elasticsearch.distribution.integ-test-zip:elasticsearch:$ES_VERSION:zip
FAILED=0

say() { echo "services: $*"; }
fail() {
    echo "services: $*" >&2
    FAILED=1
}

# --- who and where -------------------------------------------------------------
# PostgreSQL and Elasticsearch refuse root: root starts them as jimu-services. A clone below /root is closed to that user,
# so then the folder lies under /var/lib.
choose_place() {
    HOME_DIR=$ROOT/var/services
    RUN_USER=$(id -un)
    mkdir -p "$HOME_DIR"
    [ "$(id -u)" = 0 ] || return 0
    RUN_USER=jimu-services
    getent passwd $RUN_USER >/dev/null || useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin $RUN_USER || {
        fail "the user $RUN_USER could not be created, and PostgreSQL and Elasticsearch do not run as root."
        exit 1
    }
    if ! runuser -u $RUN_USER -- test -x "$HOME_DIR"; then
        HOME_DIR=/var/lib/jimu-services/$(echo "$ROOT" | sha256sum | cut -c1-12)
        mkdir -p "$HOME_DIR"
    fi
}

as_user() { # the command as RUN_USER, from a folder it may enter
    if [ "$(id -u)" = 0 ]; then
        (cd "$HOME_DIR" && runuser -u $RUN_USER -- env HOME="$HOME_DIR" "$@")
    else
        (cd "$HOME_DIR" && "$@")
    fi
}

own_folder() { mkdir -p "$HOME_DIR/$1" && { [ "$(id -u)" != 0 ] || chown $RUN_USER "$HOME_DIR/$1"; }; }

alive() { # path below HOME_DIR, without .pid
    local pid
    pid=$(head -n 1 "$HOME_DIR/$1.pid" 2>/dev/null) && [ -n "$pid" ] && [ -d "/proc/$pid" ]
}

port_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

wait_until() { # seconds command...
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.3
    done
}

# --- packages ------------------------------------------------------------------
install_missing() { # Debian package names; only root can
    local missing=() package result=0 policy=/usr/sbin/policy-rc.d made=0
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; } || return 1
    say "installing ${missing[*]}"
    # The packages' own servers stay off: policy-rc.d says so while they are installed.
    if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy && made=1; fi
    apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" \
        >"$HOME_DIR/apt.log" 2>&1 || result=1
    [ $made = 0 ] || rm -f $policy
    [ $result = 0 ] || fail "apt-get could not install ${missing[*]} (see $HOME_DIR/apt.log)."
    return $result
}

# --- PostgreSQL ----------------------------------------------------------------
pg_bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

start_postgresql() {
    if [ -n "${DATABASE_URL:-}" ]; then
        say "DATABASE_URL is set; PostgreSQL is not started."
        return
    fi
    local bin data=$HOME_DIR/postgresql
    [ -n "$(pg_bin)" ] || install_missing postgresql
    bin=$(pg_bin)
    if [ -z "$bin" ]; then
        fail "PostgreSQL could not be started: it is not installed (Debian: postgresql)."
        return
    fi
    if ! as_user "$bin/pg_ctl" -D "$data" status >/dev/null 2>&1; then
        if ! port_free "$PG_PORT"; then
            fail "PostgreSQL could not be started: port $PG_PORT is taken (set JIMU_PG_PORT)."
            return
        fi
        own_folder postgresql
        chmod 700 "$data"
        if [ ! -f "$data/PG_VERSION" ] &&
            ! as_user "$bin/initdb" -D "$data" -U jimu -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$HOME_DIR/initdb.log" 2>&1; then
            fail "PostgreSQL could not be started: initdb failed (see $HOME_DIR/initdb.log)."
            return
        fi
        # A throw-away cluster for tests: fsync off; it listens on loopback and trusts who is on this machine.
        # The socket lies in /tmp: a socket's path may have 107 characters, a clone's more.
        if ! as_user "$bin/pg_ctl" -D "$data" -l "$data/server.log" -w -t 60 \
            -o "-p $PG_PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories=/tmp -c fsync=off -c max_connections=200" start >/dev/null 2>&1; then
            fail "PostgreSQL could not be started: see $data/server.log."
            return
        fi
    fi
    as_user "$bin/createdb" -h 127.0.0.1 -p "$PG_PORT" -U jimu jimu >/dev/null 2>&1 # there already: fine
    DATABASE_URL=postgresql://jimu@127.0.0.1:$PG_PORT/jimu
    say "PostgreSQL answers at $DATABASE_URL"
}

# --- Redis ---------------------------------------------------------------------
start_redis() {
    if [ -n "${REDIS_URL:-}" ]; then
        say "REDIS_URL is set; Redis is not started."
        return
    fi
    command -v redis-server >/dev/null || install_missing redis-server
    if ! command -v redis-server >/dev/null; then
        fail "Redis could not be started: it is not installed (Debian: redis-server)."
        return
    fi
    if ! alive redis/redis; then
        if ! port_free "$REDIS_PORT"; then
            fail "Redis could not be started: port $REDIS_PORT is taken (set JIMU_REDIS_PORT)."
            return
        fi
        own_folder redis
        as_user redis-server --port "$REDIS_PORT" --bind 127.0.0.1 --dir "$HOME_DIR/redis" --save '' --appendonly no \
            --daemonize yes --pidfile "$HOME_DIR/redis/redis.pid" --logfile "$HOME_DIR/redis/server.log" >/dev/null 2>&1
        if ! wait_until 15 redis-cli -p "$REDIS_PORT" ping; then
            fail "Redis could not be started: see $HOME_DIR/redis/server.log."
            return
        fi
    fi
    REDIS_URL=redis://127.0.0.1:$REDIS_PORT/0
    say "Redis answers at $REDIS_URL"
}

# --- Elasticsearch -------------------------------------------------------------
ES_WHY=""

java_home() {
    local java
    java=$(command -v java) || return 1
    dirname "$(dirname "$(readlink -f "$java")")"
}

fetch_elasticsearch() { # into HOME_DIR; else 1 and the reason in ES_WHY
    local es=$ES_HOME archive=$ROOT/var/services/elasticsearch-$ES_VERSION.zip inner
    command -v java >/dev/null || install_missing openjdk-17-jre-headless
    java_home >/dev/null || { ES_WHY="there is no Java (Debian: openjdk-17-jre-headless)." && return 1; }
    [ ! -x "$es/bin/elasticsearch" ] || return 0
    if [ ! -f "$archive" ]; then
        command -v mvn >/dev/null || install_missing maven
        command -v mvn >/dev/null || { ES_WHY="there is no Maven to fetch it with (Debian: maven)." && return 1; }
        say "fetching Elasticsearch $ES_VERSION (97 MB)"
        (cd "$ROOT/var/services" && mvn -q -B dependency:copy "-Dartifact=$ES_ARTIFACT" "-DoutputDirectory=$ROOT/var/services") \
            >"$HOME_DIR/maven.log" 2>&1 || { ES_WHY="Maven did not fetch it (see $HOME_DIR/maven.log)." && return 1; }
    fi
    rm -rf "$HOME_DIR/unzip"
    if ! "${PYTHON:-python3}" -m zipfile -e "$archive" "$HOME_DIR/unzip" >/dev/null 2>&1; then
        rm -f "$archive"
        ES_WHY="its archive was broken and is removed; start again."
        return 1
    fi
    inner=$(find "$HOME_DIR/unzip" -maxdepth 3 -path '*/bin/elasticsearch' | head -n 1)
    [ -n "$inner" ] || { ES_WHY="its archive has no bin/elasticsearch." && return 1; }
    rm -rf "$es"
    mv "$(dirname "$(dirname "$inner")")" "$es" && rm -rf "$HOME_DIR/unzip"
    chmod -R u+rwX,go+rX "$es" && chmod +x "$es"/bin/*
}

es_answers() ( # port, text of the answer
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET /_cluster/health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
    grep -q "$2" <&3
)

start_elasticsearch() {
    if [ -n "${ELASTICSEARCH_URL:-}" ]; then
        say "ELASTICSEARCH_URL is set; Elasticsearch is not started."
        return
    fi
    local es=$ES_HOME
    if ! alive elasticsearch/elasticsearch; then
        if ! port_free "$ES_PORT"; then
            fail "Elasticsearch could not be started: port $ES_PORT is taken (set JIMU_ES_PORT)."
            return
        fi
        if ! fetch_elasticsearch; then
            fail "Elasticsearch could not be started: $ES_WHY"
            return
        fi
        own_folder elasticsearch
        mkdir -p "$HOME_DIR"/elasticsearch/{data,logs,config}
        cp -r "$es"/config/* "$HOME_DIR/elasticsearch/config/"
        # This distribution refuses settings it has no module for: nothing beyond these.
        cat >"$HOME_DIR/elasticsearch/config/elasticsearch.yml" <<YML
discovery.type: single-node
xpack.security.enabled: false
network.host: 127.0.0.1
http.port: $ES_PORT
transport.port: $((ES_PORT + 100))
path.data: $HOME_DIR/elasticsearch/data
path.logs: $HOME_DIR/elasticsearch/logs
YML
        [ "$(id -u)" != 0 ] || chown -R $RUN_USER "$HOME_DIR/elasticsearch" "$es"
        as_user env ES_JAVA_HOME="$(java_home)" ES_JAVA_OPTS="-Xms512m -Xmx512m" ES_PATH_CONF="$HOME_DIR/elasticsearch/config" \
            "$es/bin/elasticsearch" -d -p "$HOME_DIR/elasticsearch/elasticsearch.pid" >"$HOME_DIR/elasticsearch-start.log" 2>&1
        if ! wait_until 120 es_answers "$ES_PORT" '"status"'; then
            fail "Elasticsearch could not be started: see $HOME_DIR/elasticsearch-start.log and $HOME_DIR/elasticsearch/logs."
            return
        fi
    fi
    ELASTICSEARCH_URL=http://127.0.0.1:$ES_PORT
    say "Elasticsearch answers at $ELASTICSEARCH_URL"
}

# --- a cluster, for one test ------------------------------------------------------
# Node n listens on JIMU_CLUSTER_PORT + n - 1; their transport ports follow. What an earlier start left is forgotten.
CLUSTER_PORT=${JIMU_CLUSTER_PORT:-19210}
CLUSTER_NODES=${JIMU_CLUSTER_NODES:-3}

start_cluster() {
    local folder=$HOME_DIR/cluster-$CLUSTER_PORT names hosts node place
    fetch_elasticsearch || { fail "the cluster could not be started: $ES_WHY" && return; }
    stop_cluster
    names=$(seq -s, -f 'node-%.0f' "$CLUSTER_NODES")
    hosts=$(seq -s, -f '127.0.0.1:%.0f' $((CLUSTER_PORT + CLUSTER_NODES)) $((CLUSTER_PORT + 2 * CLUSTER_NODES - 1)))
    for ((node = 1; node <= CLUSTER_NODES; node++)); do
        place=$folder/node-$node
        mkdir -p "$place"/{data,logs,config}
        cp -r "$ES_HOME"/config/* "$place/config/"
        cat >"$place/config/elasticsearch.yml" <<YML
cluster.name: jimu-cluster-$CLUSTER_PORT
node.name: node-$node
discovery.seed_hosts: [$hosts]
cluster.initial_master_nodes: [$names]
cluster.routing.allocation.disk.threshold_enabled: false
xpack.security.enabled: false
network.host: 127.0.0.1
http.port: $((CLUSTER_PORT + node - 1))
transport.port: $((CLUSTER_PORT + CLUSTER_NODES + node - 1))
path.data: $place/data
path.logs: $place/logs
YML
        [ "$(id -u)" != 0 ] || chown -R $RUN_USER "$folder"
        as_user env ES_JAVA_HOME="$(java_home)" ES_JAVA_OPTS="-Xms384m -Xmx384m" ES_PATH_CONF="$place/config" \
            "$ES_HOME/bin/elasticsearch" -d -p "$place/node.pid" >"$folder/start-$node.log" 2>&1 &
    done
    wait
    for ((node = 1; node <= CLUSTER_NODES; node++)); do
        if ! wait_until 180 es_answers $((CLUSTER_PORT + node - 1)) "\"number_of_nodes\":$CLUSTER_NODES"; then
            fail "the cluster could not be started: see $folder/node-$node/logs."
            return
        fi
    done
    say "a cluster of $CLUSTER_NODES answers from port $CLUSTER_PORT on"
}

stop_cluster() {
    local folder=$HOME_DIR/cluster-$CLUSTER_PORT pid_file pid
    for pid_file in "$folder"/node-*/node.pid; do # nothing here is kept, so that it need not end in order
        pid=$(head -n 1 "$pid_file" 2>/dev/null) && [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null
    done
    rm -rf "$folder"
}

# --- commands ------------------------------------------------------------------
write_env() {
    local name
    for name in DATABASE_URL REDIS_URL ELASTICSEARCH_URL JIMU_ELASTICSEARCH_HOME; do
        [ -z "${!name:-}" ] || echo "export $name='${!name}'"
    done >"$ENV_FILE"
}

stop_one() { # label, pid file, seconds
    local pid
    pid=$(head -n 1 "$2" 2>/dev/null)
    if [ -n "$pid" ] && [ -d "/proc/$pid" ]; then
        kill "$pid"
        wait_until "$3" test ! -d "/proc/$pid" || kill -9 "$pid"
        say "$1 is stopped"
    fi
    rm -f "$2"
}

choose_place
ES_HOME=${JIMU_ELASTICSEARCH_HOME:-$HOME_DIR/elasticsearch-$ES_VERSION} # of this version, unpacked; `cluster` finds it by this
case "${1:-}" in
start)
    shift
    for service in ${*:-postgresql redis elasticsearch}; do "start_$service"; done
    [ ! -x "$ES_HOME/bin/elasticsearch" ] || JIMU_ELASTICSEARCH_HOME=$ES_HOME
    write_env
    exit $FAILED
    ;;
stop)
    stop_one Elasticsearch "$HOME_DIR/elasticsearch/elasticsearch.pid" 30
    stop_one Redis "$HOME_DIR/redis/redis.pid" 10
    if [ -f "$HOME_DIR/postgresql/postmaster.pid" ]; then
        as_user "$(pg_bin)/pg_ctl" -D "$HOME_DIR/postgresql" -m fast -w -t 30 stop >/dev/null 2>&1 && say "PostgreSQL is stopped"
    fi
    rm -f "$ENV_FILE"
    ;;
status)
    for service in postgresql/postmaster redis/redis elasticsearch/elasticsearch; do
        if alive "$service"; then say "${service%%/*} runs"; else say "${service%%/*} does not run"; fi
    done
    ;;
cluster)
    case "${2:-}" in start | stop) "${2}_cluster" ;; *) fail "usage: deploy/services.sh cluster start|stop" ;; esac
    exit $FAILED
    ;;
packages) # what CI needs beside: a browser, Chinese type, a reverse proxy
    install_missing postgresql redis-server maven openjdk-17-jre-headless chromium fonts-noto-cjk libpango-1.0-0 libpangoft2-1.0-0 nginx-light || exit 1
    ;;
*)
    echo "usage: deploy/services.sh start|stop|status|cluster|packages" >&2
    exit 2
    ;;
esac
