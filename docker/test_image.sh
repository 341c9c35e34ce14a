#!/usr/bin/env bash
# Build an image from a clean checkout of HEAD and use it as a line would: without a Docker engine, by buildah. Needs root.
#
#   docker/test_image.sh [cpu|gpu]
#
# The image's own user builds a bank, makes a key, serves, and curl scores a part: once as buildah runs it, once with the
# root file system mounted read-only and a tmpfs at /tmp. What it cannot show: Docker's own HEALTHCHECK timer and compose
# (the check's command is run), and GPUs (the GPU image falls back to the CPU here).
set -euo pipefail
target=${1:-cpu}
export STORAGE_DRIVER=${STORAGE_DRIVER:-vfs}
image=localhost/tribank:$target
user=10001:10001
port=$((18000 + RANDOM % 1000))
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
container=
server=

clean_up() {
    [ -z "$server" ] || stop_serving || true
    [ -z "$container" ] || buildah rm "$container" >/dev/null
    rm -rf "$work"
}
trap clean_up EXIT

stop_serving() { # the server's own process: buildah and unshare, above it, pass no signal on
    pgrep --uid "${user%:*}" --full '^/srv/tribank/.venv/bin/python .*tribank serve' | xargs -r kill -TERM
}

step() { printf '%(%H:%M:%S)T  %s\n' -1 "$*"; }

wheels=()
[ ! -d "${PIP_FIND_LINKS:-}" ] || wheels=(-v "$PIP_FIND_LINKS:$PIP_FIND_LINKS:ro")

step "clean checkout of $(git -C "$here" rev-parse --short HEAD)"
git clone -q "$here" "$work/tribank"
"$work/tribank/docker/base-image.sh"

step "build $image"
buildah bud --pull-never --isolation chroot --network host --format docker "${wheels[@]}" \
    -f "$work/tribank/docker/Dockerfile" --target "$target" -t "$image" "$work/tribank" >"$work/build.log" 2>&1 || {
    tail -n 40 "$work/build.log"
    exit 1
}
container=$(buildah from --pull-never "$image")
# With both, buildah takes now our volume and now an empty one of the image's, by chance.
buildah config --volume /banks- --volume /state- --volume /weights- "$container"
root=$(buildah mount "$container")
step "built: $(du -sm --one-file-system "$root" | cut -f1) MB unpacked"
[ "$(buildah inspect --format '{{.OCIv1.Config.User}}' "$container")" = "$user" ]
for tool in gcc cc make git curl npm; do
    if chroot "$root" sh -c "command -v $tool"; then
        echo "the image holds $tool"
        exit 1
    fi
done

mkdir "$work/banks" "$work/state" "$work/weights" "$work/parts"
chown "$user" "$work"/{banks,state,weights,parts}
mapfile -t environment < <(buildah inspect --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$container" |
    sed '/^$/d; s/^TRIBANK_PORT=.*/TRIBANK_PORT='"$port"'/')

# The health check as the Dockerfile has it: the image's configuration keeps it where buildah does not show it.
check=$(python3 -c '
import json, sys
print(json.loads(sys.argv[1])[-1])' "$(sed -n '/^    CMD \[/s/^    CMD //p' "$here/docker/Dockerfile")")

as_made() { # the image as buildah runs it: its user and environment, a writable root
    buildah run --isolation chroot --user "$user" --env "TRIBANK_PORT=$port" \
        -v "$work/banks:/banks" -v "$work/state:/state" -v "$work/weights:/weights" -v "$work/parts:/parts" \
        "$container" -- "$@"
}

read_only() { # the same with a read-only root and a tmpfs at /tmp, in a mount namespace of its own
    # shellcheck disable=SC2016  # expanded by the inner shell
    root=$root work=$work user=$user unshare --mount --fork --kill-child bash -euc '
        mount --bind "$root" "$root"
        mount -o remount,bind,ro "$root"
        mount -t tmpfs tmpfs "$root/tmp"
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        for volume in banks state weights parts; do mount --bind "$work/$volume" "$root/$volume"; done
        exec chroot --userspec="$user" "$root" env -i "$@"' read_only "${environment[@]}" "$@"
}

wait_ready() {
    for _ in $(seq 240); do
        curl -sf -o /dev/null --max-time 5 "http://127.0.0.1:$port/readyz" && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.5
    done
    step "not ready; what /readyz answers, and the server's log:"
    curl -sS -i --max-time 5 "http://127.0.0.1:$port/readyz" 2>&1 || true
    echo
    cat "$work/serve.log"
    return 1
}

score() { # $1: good or defective, which the answer must say; $2: a folder of parts in the MVTec layout
    local rgb
    rgb=$(find "$2/rgb" -name '*.png' | sort | head -n 1)
    curl -sS -f -H "X-API-Key: $key" -F "rgb=@$rgb" -F "xyz=@$(sed 's#/rgb/#/xyz/#; s#png$#tiff#' <<<"$rgb")" \
        "http://127.0.0.1:$port/v1/products/biscuit/score" >"$work/answer.json"
    python3 -c 'import json, sys
answer = json.load(open(sys.argv[1]))
print("       ", answer["decision"], answer["score"], "threshold", answer["threshold"])
raise SystemExit(answer["decision"] != sys.argv[2])' "$work/answer.json" "$1"
}

ask() { # curl's options, and last a path
    curl -sS -f -H "X-API-Key: $key" "${@:1:$#-1}" "http://127.0.0.1:$port${*: -1}"
}

serve_and_score() { # $1: as_made or read_only
    step "$1: start"
    "$1" tribank serve >"$work/serve.log" 2>&1 &
    server=$!
    wait_ready
    step "$1: ready; score two parts"
    score good "$work/parts/biscuit/test/good"
    score defective "$work/parts/biscuit/test/hole"
    [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/v1/products")" = 401 ]
    "$1" python3 -c "$check"
    step "$1: build a version from the service, out of a folder of parts"
    ask -X POST --json '{"folder": "biscuit"}' "/v1/products/$1/builds?profile=embedded-point" >"$work/job.json"
    job=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["job_id"])' "$work/job.json")
    ask -N "/v1/jobs/$job/events" | tail -n 1 | cut -c -300
    ask -X POST "/v1/products/$1/versions/v1/activate"
    echo
    step "$1: stop"
    stop_serving
    wait "$server" || {
        step "the server ended with $?; its log:"
        tail -n 20 "$work/serve.log"
        return 1
    }
    server=
}

step "render parts, build a bank"
as_made tribank demo-parts /parts --product biscuit >"$work/parts.log"
as_made tribank build biscuit /parts/biscuit >"$work/bank.log" 2>&1
step "beyond loopback it does not start without a key"
if as_made tribank serve >"$work/refused.log" 2>&1; then exit 1; fi
tail -n 1 "$work/refused.log"
key=$(as_made tribank keys add line1 --role manage)

serve_and_score as_made
serve_and_score read_only
step "read_only: nothing can be written"
if read_only sh -c 'touch /srv/tribank/x || touch /etc/x' 2>/dev/null; then exit 1; fi
step "all of it works"
