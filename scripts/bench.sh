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
# The first run fills Go's build cache where it is empty; the second is the figure.
echo "ssm-setup build of everything from source (twice)"
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
make -s here
for run in 1 2; do
  began=$(date +%s)
  bin/ssm-setup build --version 9.1.0.0 --out "$here/$run" >/dev/null 2>&1
  echo "run $run: $(($(date +%s) - began)) s, $(find "$here/$run" -type f | wc -l) files, $(du -sm "$here/$run" | cut -f1) MB"
done
