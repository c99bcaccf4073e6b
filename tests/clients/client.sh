#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the vendor's examples in curl do: client.sh BASE. For each answer three lines: its name, status and type; its
# length in bytes; its body.
set -euo pipefail
base=$1
root=$base/webapi/v2/conversations
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tell() { # NAME CURL'S OPTIONS: the body is left in $work/body
  local name=$1 status
  shift
  status=$(curl -sS -m 30 -o "$work/body" -w '%{http_code} %{content_type}' -H 'API-KEY: sandbox' "$@")
  printf '%s\t%s\n%s\n' "$name" "$status" "$(wc -c <"$work/body")"
  cat "$work/body"
  echo
}
body() { curl -sS -m 30 -H 'API-KEY: sandbox' "$@"; }
encode() { local text=${1//+/%2B}; text=${text//\//%2F}; echo "${text//=/%3D}"; }
ids_in() { grep -o '"id":"'"$1"'[^"]*"' | cut -d'"' -f4; }

tell "the newest" "$root?pageSize=5"
tell "compressed" --compressed "$root?pageSize=50"
tell "users one by one" -G "$root" --data-urlencode 'userIds=user-0000' --data-urlencode 'userIds=user-0004@example.com'
tell "a term" -G "$root" -d pageSize=4 --data-urlencode 'searchTerm=여행'
tell "a filter of later" -G "$root" --data-urlencode 'userIds[]=user-0000' -d pageSize=3
tell "only its head" -I "$root?pageSize=2"
tell "by HTTP/1.0" -0 "$root?pageSize=2"
tell "an unknown version of it" "$base/webapi/v9/conversations"

id=$(body "$root?pageSize=50" | ids_in Q29udmVyc2F0aW9u | grep -m1 +)
tell "an id, encoded" "$root/$(encode "$id")"
tell "an id, its slash encoded" "$root/${id//\//%2F}"
tell "variables in one value" "$root/$(encode "$id")?variables=plan,visits"
tell "chats" "$root/$(encode "$id")/chats"
chat=$(body "$root/$(encode "$id")/chats" | ids_in Q2hhd | head -n1)
tell "a chat" "$root/$(encode "$id")/chats/$(encode "$chat")"
tell "rate it" -H 'Content-Type: application/json' -d '{"rating":false,"suggestedAnswer":"better"}' "$root/$(encode "$id")/chats/$(encode "$chat")/feedback"
tell "rated" "$root/$(encode "$id")/chats/$(encode "$chat")"
tell "set its state" -X PUT -H 'Content-Type: application/json' -d '{"state":"CLOSED"}' "$root/$(encode "$id")"
tell "its state" "$root/$(encode "$id")"

app=$(encode "$(body "$base/webapi/v2/apps" | ids_in '' | head -n1)")
tell "an app" "$base/webapi/v2/apps/$app"
run=$base/webapi/apps/$app/run
tell "a run" -H 'Content-Type: application/json' -d '{"mode":"sync","chat":{"message":"안녕하세요"}}' "$run"
talk=$(encode "$(ids_in Q29udmVyc2F0aW9u <"$work/body" | head -n1)")
tell "after it" "$root/$talk/chats"
tell "a stream" -N -H 'Content-Type: application/json' -d '{"mode":"stream","chat":{"message":"조각조각 말해 주세요"}}' "$run"
talk=$(encode "$(ids_in Q29udmVyc2F0aW9u <"$work/body" | head -n1)")
tell "after the stream" "$root/$talk/chats"
tell "a compressed stream" -N --compressed -H 'Content-Type: application/json' -d '{"mode":"stream","chat":{"message":"again, and packed"}}' "$run"
talk=$(encode "$(ids_in Q29udmVyc2F0aW9u <"$work/body" | head -n1)")
tell "after that stream" --compressed "$root/$talk/chats"
seq 1 4000 >"$work/document.txt"
tell "a form" -F 'json={"chat":{"message":"with a file"}};type=application/json' -F "document=@$work/document.txt" "$base/webapi/v2/apps/$app/run_conversation"
talk=$(encode "$(ids_in Q29udmVyc2F0aW9u <"$work/body" | head -n1)")
tell "after the form" "$root/$talk/chats"
tell "a run in the background" -H 'Content-Type: application/json' -d '{"mode":"background","chat":{"message":"take your time"}}' "$run"
talk=$(encode "$(ids_in Q29udmVyc2F0aW9u <"$work/body" | head -n1)")
while body "$root/$talk/running" | grep -q true; do sleep 0.1; done
tell "after the background" "$root/$talk/chats"
tell "the newest of all" "$root?pageSize=1"
tell "an answer" -N -H 'Content-Type: application/json' -d '{"query":"opening hours"}' "$base/webapi/v2/apps/$app/generative_answer"
tell "delete it" -X DELETE "$root/$talk"
tell "deleted" "$root/$talk/chats"
