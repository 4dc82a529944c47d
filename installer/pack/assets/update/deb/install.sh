
arguments "$@"
sleep 2
init=$(supervisor)
[ -n "$init" ] || unsupported

# installed is the version that dpkg calls installed; empty for none.
installed() { dpkg-query -W -f='${Status} ${Version}' $unit 2>/dev/null | sed -n 's/^install ok installed //p'; }

if [ $# -eq 4 ] || foreign "$(installed)"; then stop; fi
export DEBIAN_FRONTEND=noninteractive
code=0
said=$(dpkg --force-confdef --force-confold -i $unit.deb 2>&1 </dev/null) || code=$?
echo "$said"
if [ $code -ne 0 ]; then
	offered=$(dpkg -I $unit.deb 2>/dev/null | sed -n 's/^ *Version: *//p')
	if [ -z "$offered" ] || [ "$(installed)" != "$offered" ]; then
		echo "Package manager failed with exit code '$code'"
		(start) >/dev/null 2>&1
		exit 125
	fi
fi
echo "Installed version: '$(installed)'"
if ! register "$@"; then
	(start) >/dev/null 2>&1
	exit 1
fi
start
