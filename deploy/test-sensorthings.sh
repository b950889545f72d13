#!/bin/sh
# Sets up the SensorThings client aio-sensorthings with the Python 3.13 that it needs, below .tools/ in the project; what
# is there is kept. Takes the installer as its argument: uv. Needs root and apt; without them the tests are skipped.
set -eu
cd "$(dirname "$0")/.."
home=.tools/sensorthings
client="aio-sensorthings[all]==0.8.0"
what="aio-sensorthings on Python 3.13"
mkdir -p "$home"

deploy/debian-13.sh "$home/debian" python3-minimal,libpython3-stdlib "$what"
[ -e "$home/debian/.ready" ] || exit 0
[ -e "$home/debian/opt/client/.$client" ] && exit 0
echo "== installing $client"
rm -rf "$home/debian/opt/client"
# It imports all of its extras whatever is used, and yaml, which it does not ask for.
"$1" pip install -q --python-version 3.13 --only-binary :all: --target "$home/debian/opt/client" "$client" pyyaml
find "$home/debian/opt/client" -name README.md -delete
touch "$home/debian/opt/client/.$client"
