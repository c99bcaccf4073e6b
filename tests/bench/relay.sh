#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The relay beside nginx (proxy_pass, unbuffered), both before the same upstream: a download, an upload, the first byte.
# Hashes are compared; speeds are the best of five in turn, and the peak of the program's memory is printed.
#   tests/bench/relay.sh [PROGRAM [MEGABYTES]]
# Needs Debian's nginx, curl and python3 (the upstream of uploads); installs nothing and says what is missing.
set -euo pipefail

program=$(realpath "${1:-build/release/alli-mirror}")
megabytes=${2:-1024}
upload=20000000
key=a-key-for-the-bench
PATH=$PATH:/usr/sbin
work=$(mktemp -d /tmp/alli-relay.XXXXXX)
started=()

end() {
    for one in "${started[@]}"; do kill "$one" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT

for tool in nginx curl python3; do
    command -v $tool >/dev/null || { echo "$tool is missing"; exit 77; }
done
[ -x "$program" ] || { echo "$program is missing: cmake --preset release && cmake --build --preset release"; exit 77; }

read -r files sink nginx proxy < <(python3 -c '
import socket
held = [socket.socket() for _ in range(4)]
for one in held: one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in held])')

wait_for() { # PORT WHAT
    for _ in $(seq 200); do
        curl -so /dev/null "http://127.0.0.1:$1/healthz" && return
        sleep 0.05
    done
    echo "$2 did not come up"; cat "$work"/*.log; exit 1
}

mkdir -p "$work/webapi" "$work/home"
chmod 700 "$work/home"
chmod 755 "$work"
head -c $((megabytes << 20)) /dev/urandom >"$work/webapi/large"
printf x >"$work/webapi/small"
head -c $upload /dev/urandom >"$work/upload"

cat >"$work/sink.py" <<'PY'
# Takes uploads and answers with the hash of what came.
import hashlib, http.server, sys
class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self): self.answer(b"ok")
    def do_POST(self):
        left, sum = int(self.headers["Content-Length"]), hashlib.sha256()
        while left > 0:
            piece = self.rfile.read(min(left, 1 << 18))
            if not piece: return
            sum.update(piece)
            left -= len(piece)
        self.answer(sum.hexdigest().encode())
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Sink).serve_forever()
PY
python3 "$work/sink.py" "$sink" 2>"$work/sink.log" & started+=($!)

cat >"$work/nginx.conf" <<CONF
$([ "$(id -u)" != 0 ] || echo "user root;")
worker_processes 2;
pid $work/pid;
error_log $work/nginx.log;
events { worker_connections 256; }
http {
    access_log off; sendfile on; tcp_nodelay on; client_max_body_size 0;
    client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
    server { # upstream
        listen 127.0.0.1:$files;
        root $work;
        location /webapi/up { proxy_pass http://127.0.0.1:$sink; proxy_http_version 1.1; proxy_request_buffering off; }
    }
    server { # the peer
        listen 127.0.0.1:$nginx;
        location / {
            proxy_pass http://127.0.0.1:$files;
            proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_buffering on; proxy_max_temp_file_size 0; proxy_request_buffering off;
        }
    }
}
CONF
nginx -p "$work" -c "$work/nginx.conf" -g 'daemon off;' 2>"$work/start.log" & started+=($!)
env -i PATH="$PATH" HOME="$work/home" ALLI_API_KEY=$key ALLI_MIRROR_UPSTREAM_URL="http://127.0.0.1:$files" \
    ALLI_MIRROR_MIRROR_PATH="$work/home/mirror.db" ALLI_MIRROR_PROXY_LISTEN="127.0.0.1:$proxy" \
    "$program" serve >"$work/serve.log" 2>&1 & started+=($!)
daemon=$!
wait_for "$sink" "the sink"; wait_for "$files" upstream; wait_for "$nginx" nginx; wait_for "$proxy" "the program"

ask() { curl -sS -H "API-KEY: $key" "$@"; } # CURL'S OPTIONS URL
peak() { awk '/VmHWM/ { printf "%.1f MB", $2 / 1024 }' "/proc/$daemon/status"; }
best() { sort -g | tail -1; }
show() { # WHAT NGINX RELAY
    awk -v what="$1" -v n="$2" -v r="$3" 'BEGIN { printf "%-22s nginx %8.0f MB/s   relay %8.0f MB/s   %.2f of nginx\n", what, n / 1e6, r / 1e6, r / n }'
}

echo "$(uname -sr), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg), memory at the start $(peak)"

declare -A down=() up=()
expected=$(sha256sum <"$work/webapi/large")
for port in $nginx $proxy; do
    [ "$(ask "http://127.0.0.1:$port/webapi/large" | sha256sum)" = "$expected" ] || { echo "other bytes through $port"; exit 1; }
done
for _ in 1 2 3 4 5; do
    for port in $nginx $proxy; do
        down[$port]+="$(ask -o /dev/null -w '%{speed_download}' "http://127.0.0.1:$port/webapi/large")"$'\n'
    done
done
show "download of $megabytes MiB" "$(best <<<"${down[$nginx]}")" "$(best <<<"${down[$proxy]}")"
echo "                       both hashes right; peak of memory $(peak)"

declare -A first=() # in turn, so that what else runs weighs on all of them alike
for _ in $(seq 101); do
    for port in $files $nginx $proxy; do
        first[$port]+="$(ask -o /dev/null -w '%{time_starttransfer}' "http://127.0.0.1:$port/webapi/small")"$'\n'
    done
done
median() { sort -g | awk 'NF { t[++n] = $1 } END { printf "%.2f", t[int((n + 1) / 2)] * 1000 }'; }
direct=$(median <<<"${first[$files]}") relayed=$(median <<<"${first[$proxy]}")
echo "first byte, median     upstream $direct ms, nginx $(median <<<"${first[$nginx]}") ms, relay $relayed ms: $(awk -v a="$relayed" -v b="$direct" 'BEGIN { printf "%+.2f", a - b }') ms"

{
    printf -- '--of-the-bench\r\nContent-Disposition: form-data; name="file"; filename="upload"\r\n\r\n'
    cat "$work/upload"
    printf '\r\n--of-the-bench--\r\n'
} >"$work/form"
form() { ask --data-binary "@$work/form" -H 'Content-Type: multipart/form-data; boundary=of-the-bench' -H 'Expect:' "${@:2}" "http://127.0.0.1:$1/webapi/up"; }
expected=$(sha256sum <"$work/form" | cut -d' ' -f1)
for port in $nginx $proxy; do
    found=$(form "$port")
    [ "$found" = "$expected" ] || { echo "the upload did not arrive whole through $port: $found"; exit 1; }
done
for _ in 1 2 3 4 5; do
    for port in $nginx $proxy; do up[$port]+="$(form "$port" -o /dev/null -w '%{speed_upload}')"$'\n'; done
done
show "upload of 20 MB" "$(best <<<"${up[$nginx]}")" "$(best <<<"${up[$proxy]}")"
echo "                       both hashes right; peak of memory $(peak)"
