#!/bin/sh
# Builds an image of one package from a signed repository in a folder: the recipe that a case of `inrelease/` or
# `packages/` asks for, and distil on it.
#
#   from-repository.sh CASE OUT TMP SUITE COMPONENT ARCHITECTURE PACKAGE KEYRING
#
# The image becomes OUT/image; recipe, lock and cache lie in TMP. $DISTIL_BIN names the program, if it is not on the path.
set -eu
case=$1 out=$2 tmp=$3 suite=$4 component=$5 architecture=$6 package=$7 keyring=$8

# Literal strings, since the requests of hostile cases hold what other strings would escape.
cat >"$tmp/distil.toml" <<RECIPE
platforms = ['linux/$architecture']

[debian]
packages = ['$package']

[[debian.sources]]
uris = ['file://$case']
suites = ['$suite']
components = ['$component']
signed-by = '$keyring'
RECIPE
exec "${DISTIL_BIN:-distil}" build "$tmp/distil.toml" -o "oci:$out/image:test" --cache-dir "$tmp/cache"
