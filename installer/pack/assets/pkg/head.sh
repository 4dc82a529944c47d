#!/bin/sh
# $1 package, $2 destination, $3 target volume
set -e
PATH=/usr/bin:/bin:/usr/sbin:/sbin
export PATH
