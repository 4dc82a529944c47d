#!/bin/sh
# The figures of the README, measured on this machine: the real binaries against a local region. Takes about five minutes.
set -eu
cd "$(dirname "$0")/.."
export CGO_ENABLED=0
# Packages need dpkg-deb, rpmbuild, bsdtar, wixl and msiextract beside them; the rest needs Go only.
figures() { go test -tags "${3:-}" -run '^$' -bench "$1" -benchtime "$2" -timeout 20m ./test/story | grep -E '^(Benchmark|cpu)' || true; }
echo "sizes";                          figures 'FigureBinaries$' 1x
echo "command to result (100 times)";  figures 'FigureCommand$' 100x
echo "start and stop (20 times)";      figures 'FigureStart$' 20x
echo "idle for a minute";              figures 'FigureIdle$' 1x
echo "without an agent in an update";  figures 'FigureUpdateGap$' 1x
for tool in dpkg-deb rpmbuild bsdtar wixl msiextract; do
  command -v $tool >/dev/null || { echo "packages: not measured, there is no $tool here"; exit 0; }
done
echo "packages, and the same files by others"; figures 'FigurePackages$' 5x integration
