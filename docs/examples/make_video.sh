#!/bin/sh
# Makes a video and fetches it:   sh make_video.sh "The sea at night." sea.mp4
# VIDGEND_URL says where the daemon is, VIDGEND_KEY is its key if it asks for one. Needs curl 7.82 and jq.
set -eu
url=${VIDGEND_URL:-http://127.0.0.1:8080}

call() {
  curl --silent --show-error --fail-with-body --retry 3 \
    ${VIDGEND_KEY:+--header "Authorization: Bearer $VIDGEND_KEY"} "$@"
}

# The same key with the same body is the same job, so that a retry after a broken connection makes no second one.
once=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
job=$(jq --null-input --arg prompt "$1" '{prompt: $prompt, duration_target: 30}' |
  call --json @- --header "Idempotency-Key: $once" "$url/mcp/generate" | jq --raw-output .job_id)
echo "$job" >&2

while :; do
  status=$(call "$url/mcp/status/$job")
  echo "$status" | jq --raw-output '"\(.overall_progress) %  \(.current_step)"' >&2
  case $(echo "$status" | jq --raw-output .status) in
    completed) break ;;
    failed | cancelled) exit 1 ;;
  esac
  sleep "${POLL_S:-2}"
done

# The address is signed where the daemon asks for a key; it is opened without the key.
video=$(call "$url/mcp/result/$job" | jq --raw-output .video_url)
curl --silent --show-error --fail --output "$2" "$video"
