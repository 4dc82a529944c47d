
arguments "$@"
init=$(supervisor)
if [ "$init" != systemd ]; then
	echo "[ERROR] Snap install is not supported on this instance. Please uninstall the snap agent and try again" >&2
	exit 124
fi
if [ ! -f $unit.snap ] || [ ! -f $unit.assert ]; then
	echo "[ERROR] Snap is not available for this version. Please uninstall the snap and install a debian if this agent version is required." >&2
	exit 1
fi
package=$unit
unit=snap.$package.$package
stop
snap ack $package.assert
if ! snap install $package.snap --classic; then
	snap start $package
	exit 125
fi
agent=/snap/$package/current/$package
code=0
register "$@" || code=1
snap start $package || code=1
exit $code
