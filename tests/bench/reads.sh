#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The proxy beside nginx (proxy_cache) and Varnish, which cache the proxy's own answers: the same bytes from all three.
# Requests a second over 32 kept connections, the median of rounds in which all are asked in turn (one round of one server
# differs from its next by half), the processor's time that each request took of the server (which says most on a busy
# machine), p50 and p99 at half the rate of the slowest, and p99 of two connections that ask as fast as they are answered.
#   tests/bench/reads.sh [PROGRAM [SECONDS [ROUNDS]]]
# Needs Debian's nginx, varnish, nghttp2-client (h2load), wrk and curl; installs nothing and says what is missing. With ROOT
# set, looks for them under that directory too (packages taken apart with dpkg -x).
set -euo pipefail

program=$(realpath "${1:-build/release/alli-mirror}")
seconds=${2:-3}
rounds=${3:-5}
base=$((20000 + RANDOM % 20000))
upstream=$base proxy=$((base + 1)) nginx=$((base + 2)) varnish=$((base + 3))
work=$(mktemp -d /tmp/alli-reads.XXXXXX)

if [ -n "${ROOT:-}" ]; then
    PATH=$PATH:$ROOT/usr/bin:$ROOT/usr/sbin
    export LD_LIBRARY_PATH=$ROOT/usr/lib/x86_64-linux-gnu:$ROOT/usr/lib/x86_64-linux-gnu/varnish
fi
PATH=$PATH:/usr/sbin

. "$(dirname "$0")/served.sh"
need wrk wrk
[ $missing = 0 ] || exit 77
peers=(proxy)
if command -v nginx >/dev/null; then peers+=(nginx); else echo "nginx is missing: apt-get install nginx-light"; fi
if command -v varnishd >/dev/null; then peers+=(varnish); else echo "varnishd is missing: apt-get install varnish"; fi

start_nginx() {
    mkdir -p "$work/nginx/logs"
    cat >"$work/nginx/nginx.conf" <<CONF
$([ "$(id -u)" != 0 ] || echo "user root;")
worker_processes 2;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events { worker_connections 1024; multi_accept on; }
http {
    access_log off;
    sendfile on; tcp_nopush on; tcp_nodelay on;
    keepalive_requests 100000000;
    open_file_cache max=1000; open_file_cache_valid 60s;
    client_body_temp_path $work/nginx/body; proxy_temp_path $work/nginx/proxy; fastcgi_temp_path $work/nginx/f;
    uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
    proxy_cache_path $work/nginx/cache keys_zone=all:10m inactive=60m;
    server {
        listen 127.0.0.1:$nginx backlog=1024;
        location / {
            proxy_pass http://127.0.0.1:$proxy;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host 127.0.0.1:$proxy;
            proxy_cache all;
            proxy_ignore_headers Cache-Control Expires;
            proxy_cache_valid 200 60m;
        }
    }
}
CONF
    nginx -p "$work/nginx" -c "$work/nginx/nginx.conf" -g 'daemon off;' 2>"$work/nginx/start.log" &
    started+=($!) pids[nginx]=$!
    wait_for "$nginx" nginx
}

start_varnish() {
    cat >"$work/all.vcl" <<VCL
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "$proxy"; }
sub vcl_recv { return (hash); }
sub vcl_backend_fetch { set bereq.http.Host = "127.0.0.1:$proxy"; }
sub vcl_backend_response { set beresp.ttl = 1h; unset beresp.http.Set-Cookie; return (deliver); }
VCL
    mkdir -p "$work/varnish"
    varnishd -F -j none -n "$work/varnish" -a "127.0.0.1:$varnish" -f "$work/all.vcl" -s malloc,256m \
        ${ROOT:+-p vmod_path="$ROOT/usr/lib/x86_64-linux-gnu/varnish/vmods"} \
        ${ROOT:+-p cc_command="exec gcc -I$ROOT/usr/include/varnish -fpic -shared -o %o %s"} >"$work/varnish.log" 2>&1 &
    started+=($!) pids[varnish]=$!
    wait_for "$varnish" varnish || { cat "$work/varnish.log"; exit 1; }
}

port_of() { eval echo "\$$1"; }

with_children() { # PID
    echo "$1"
    for child in $(ps --ppid "$1" -o pid=); do with_children "$child"; done
}

ticks() { # PID: of the processor, so far, its children's too
    for one in $(with_children "$1"); do cat "/proc/$one/stat"; done | awk '{ sum += $14 + $15 } END { print sum }'
}

cost() { # PID PORT TARGET [HEADER]: microseconds of the processor a request
    local before requests=100000
    before=$(ticks "$1")
    h2load --h1 -t 2 -c $connections -n $requests -H 'API-KEY: sandbox' ${4:+-H "$4"} "http://127.0.0.1:$2$3" >/dev/null
    awk -v a="$before" -v b="$(ticks "$1")" -v n=$requests -v hz="$(getconf CLK_TCK)" \
        'BEGIN { printf "%.1f", (b - a) / hz / n * 1e6 }'
}

median() { sort -g | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

latency() { # PORT TARGET RATE [HEADER]: p50 and p99 in ms, and how many failed
    local each=$(($3 / connections)) log=$work/latency.log
    rm -f "$log"
    h2load --h1 -t 2 -c $connections -n $((each * connections * 4)) --rps=$((each > 0 ? each : 1)) \
        -H 'API-KEY: sandbox' ${4:+-H "$4"} --log-file="$log" "http://127.0.0.1:$1$2" >/dev/null
    sort -n -k3,3 "$log" | awk -v FS='\t' '{ t[NR] = $3; if ($2 >= 400 || $2 < 200) ++bad }
        END { printf "%.2f %.2f %d", t[int(NR * .5) + 1] / 1000, t[int(NR * .99) + 1] / 1000, bad }'
}

eager() { # PORT TARGET [HEADER]: p99 in ms of two connections, the median of rounds
    for _ in $(seq "$rounds"); do
        wrk -t1 -c2 -d1 --latency -H 'API-KEY: sandbox' ${3:+-H "$3"} "http://127.0.0.1:$1$2"
    done | awk '$1 == "99%" { n = $2 + 0; if ($2 ~ /us/) n /= 1000; else if ($2 !~ /ms/) n *= 1000; print n }' | median
}

start_mirror 2000 "${RATE:-0}" ALLI_MIRROR_PROXY_ALLOWED_HOSTS="127.0.0.1,127.0.0.1:$nginx,127.0.0.1:$varnish"
wait_until_held "/webapi/v2/conversations?pageSize=1"

all_ids() { # ACTIVE
    local page cursor=
    while :; do
        page=$(ask "$proxy" "/webapi/v2/conversations?pageSize=50&activeOnly=$1$cursor")
        ids <<<"$page"
        cursor="&cursor=$(grep -o '"cursor":"[^"]*"}$' <<<"$page" | cut -d'"' -f4)"
        [ "$cursor" != "&cursor=" ] || break
    done
}

nearest() { # SIZE REST ACTIVE: of all conversations, the target whose answer below that size is nearest to it
    all_ids "$3" | sed "s|.*|url = \"http://127.0.0.1:$proxy/webapi/v2/conversations/&$2\"\noutput = /dev/null|" |
        curl -s -H 'API-KEY: sandbox' -w '%{size_download} %{url_effective}\n' -K - |
        awk -v most="$1" '$1 <= most && $1 > best { best = $1; at = $2 } END { sub("http://[^/]*", "", at); print at }'
}
user=$(ask "$proxy" "/webapi/v2/conversations?pageSize=50" | grep -o '"userId":"[^"]*"' | head -1 | cut -d'"' -f4)
conversation=$(nearest 4600 '' true)
declare -A targets=(
    [conversation]="$conversation"
    [chats]="$(nearest 33000 '/chats?pageNo=2' false)" # a first page is either short or 100 chats long
    [list]="/webapi/v2/conversations?pageSize=50"
    [unchanged]="$conversation"
    [filtered]="/webapi/v2/conversations?userIds=$user&startedAt=1&pageSize=50"
)
for peer in "${peers[@]}"; do [ "$peer" = proxy ] || "start_$peer"; done

echo "$(uname -sr), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg); $connections connections, median of $rounds rounds of $seconds s each"
printf '%-13s %8s  %-8s %10s %7s %8s  %9s %9s %12s\n' answer bytes of requests/s "/nginx" us/req p50 p99 "p99 of two"
for what in conversation chats list unchanged filtered; do
    target=${targets[$what]}
    ask "$proxy" "$target" >"$work/expected"
    tag=$(ask "$proxy" "$target" -o /dev/null -D - | tr -d '\r' | awk 'tolower($1) == "etag:" { print $2 }')
    header=''
    [ $what = unchanged ] && header="If-None-Match: $tag"
    declare -A rates=()
    for peer in "${peers[@]}"; do
        ask "$(port_of "$peer")" "$target" >"$work/found"
        ask "$(port_of "$peer")" "$target" >"$work/found"
        cmp -s "$work/expected" "$work/found" || { echo "$peer answers other bytes to $target: $(head -c 300 "$work/found")"; tail -3 "$work/$peer"/*.log 2>/dev/null; exit 1; }
    done
    rm -f "$work"/rates.*
    for _ in $(seq "$rounds"); do
        for peer in "${peers[@]}"; do rate "$(port_of "$peer")" "$target" "$header" >>"$work/rates.$peer"; done
    done
    for peer in "${peers[@]}"; do rates[$peer]=$(median <"$work/rates.$peer"); done
    half=$(printf '%s\n' "${rates[@]}" | sort -g | awk 'NR == 1 { print int($1 / 2) }')
    for peer in "${peers[@]}"; do
        read -r p50 p99 bad < <(latency "$(port_of "$peer")" "$target" "$half" "$header"; echo)
        size=$(wc -c <"$work/expected")
        [ $what = unchanged ] && size=0
        took=$(cost "${pids[$peer]}" "$(port_of "$peer")" "$target" "$header")
        printf '%-13s %8d  %-8s %10.0f %7.2f %8s  %6.2f ms %6.2f ms %9.2f ms%s\n' $what "$size" "$peer" "${rates[$peer]}" \
            "$(awk -v a="${rates[$peer]}" -v b="${rates[nginx]:-${rates[$peer]}}" 'BEGIN { print a / b }')" "$took" \
            "$p50" "$p99" "$(eager "$(port_of "$peer")" "$target" "$header")" "$([ "${bad:-0}" = 0 ] || echo "  $bad failed")"
    done
done
