# SPDX-License-Identifier: Apache-2.0
# Sourced by the benches that ask a daemon in front of a sandbox. They set: program, seconds (of a measurement), upstream
# and proxy (ports), work (a folder of theirs).

connections=32
started=() # process ids, in their order
declare -A pids=()

end() {
    for one in "${started[@]}"; do kill -CONT "$one" 2>/dev/null && kill "$one" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT

need() { # TOOL PACKAGE
    command -v "$1" >/dev/null || { echo "$1 is missing: apt-get install $2"; missing=1; }
}
missing=0
need h2load nghttp2-client
need curl curl
[ -x "$program" ] || { echo "$program is missing: cmake --preset release && cmake --build --preset release"; missing=1; }
[ $missing = 0 ] || exit 77

wait_for() { # PORT WHAT
    for _ in $(seq 600); do
        curl -so /dev/null "http://127.0.0.1:$1/healthz" && return
        sleep 0.05
    done
    echo "$2 did not come up"; exit 1
}

start_daemon() { # PROGRAM PORT HOME RATE [NAME=SETTING...]
    env -i PATH="$PATH" HOME="$3" ALLI_API_KEY=sandbox ALLI_MIRROR_UPSTREAM_URL="http://127.0.0.1:$upstream" \
        LD_LIBRARY_PATH= ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND="$4" \
        ALLI_MIRROR_PROXY_LISTEN="127.0.0.1:$2" ALLI_MIRROR_PROXY_AUTH=api-key "${@:5}" \
        "$1" serve >"$3/proxy.log" 2>&1 &
    started+=($!) pids[proxy]=$!
    wait_for "$2" "the proxy"
}

start_mirror() { # CONVERSATIONS RATE [NAME=SETTING...]
    "$program" sandbox --listen "127.0.0.1:$upstream" --conversations "$1" >"$work/sandbox.log" 2>&1 &
    started+=($!) pids[sandbox]=$!
    wait_for "$upstream" sandbox
    start_daemon "$program" "$proxy" "$work" "$2" "${@:3}"
}

ask() { # PORT TARGET [CURL'S OPTIONS]
    curl -s -H 'API-KEY: sandbox' "${@:3}" "http://127.0.0.1:$1$2"
}

wait_until_held() { # TARGET: the mirror itself answers it
    for _ in $(seq 1200); do
        # Not -q: a pipe that closes early would fail curl.
        ask "$proxy" "$1" -o /dev/null -D - | grep -i 'cache-status:.*hit' >/dev/null && return
        sleep 0.1
    done
    echo "the mirror never had $1"; cat "$work/proxy.log"; exit 1
}

# Of the conversations of a page, as a path takes them.
ids() { grep -o '"id":"Q29u[^"]*"' | cut -d'"' -f4 | sed 's/+/%2B/g; s/=/%3D/g; s,/,%2F,g'; }

rate() { # PORT TARGET [HEADER]: requests a second; a refusal ends all
    h2load --h1 -t 2 -c $connections -D "$seconds" --warm-up-time=1 -H 'API-KEY: sandbox' ${3:+-H "$3"} \
        "http://127.0.0.1:$1$2" >"$work/h2load"
    grep -q ' 0 4xx, 0 5xx' "$work/h2load" || { cat "$work/h2load" >&2; exit 1; }
    awk '/^finished in/ { for (i = 1; i < NF; ++i) if ($(i + 1) ~ /req\/s/) print $i }' "$work/h2load"
}
