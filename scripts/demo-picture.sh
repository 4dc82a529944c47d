#!/bin/sh
# Records a run of `make demo` in docs/demo.txt and draws docs/demo.svg from it, the picture of the README.
set -eu
cd "$(dirname "$0")/.."
make here >/dev/null
bin/ssm-setup demo --result | sed "s#$PWD#.#g" >docs/demo.txt
"${GO:-go}" test ./test/guides -run ThePictureOfTheDemo -picture
