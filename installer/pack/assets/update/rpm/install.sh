
arguments "$@"
sleep 2
if /sbin/init --version 2>/dev/null | grep -q upstart; then
	init=upstart
elif systemctl 2>/dev/null | grep -q -e '-\.mount'; then
	init=systemd
else
	unsupported
fi

# fragment is the unit file that systemd uses; wants is where a host of another package layout may still point to the old one.
fragment() { systemctl show -p FragmentPath "$unit.service" 2>/dev/null | sed -n 's/^FragmentPath=//p'; }
wants=/etc/systemd/system/multi-user.target.wants/$unit.service

if [ $# -eq 4 ] || foreign "$(rpm -q --qf '%{VERSION}' $unit 2>/dev/null)"; then stop; fi
if [ "$init" = systemd ]; then
	systemctl daemon-reload
	before=$(fragment)
fi

code=0
if command -v yum >/dev/null 2>&1; then
	said=$(yum -y --cacheonly localinstall $unit.rpm 2>&1 </dev/null) || code=$?
else
	code=127
fi
if [ $code -ne 0 ]; then
	code=0
	said=$(rpm -U $unit.rpm 2>&1 </dev/null) || code=$?
fi
if [ $code -ne 0 ]; then
	case "$said" in
	*"is already installed"* | *"does not update installed package"*)
		echo "Install was successful"
		;;
	*)
		echo "Package manager failed with exit code '$code'"
		echo "$said"
		(start) >/dev/null 2>&1
		exit 125
		;;
	esac
fi
echo "Installed version: '$(rpm -q --qf '%{VERSION}' $unit 2>/dev/null)'"

if [ "$init" = systemd ]; then
	systemctl daemon-reload
	now=$(fragment)
	if [ "$before" != "$now" ] && [ -n "$now" ] && [ -L "$wants" ] && [ ! -e "$wants" ]; then ln -sf "$now" "$wants"; fi
fi
if ! register "$@"; then
	(start) >/dev/null 2>&1
	exit 1
fi
start
