
if /sbin/init --version 2>/dev/null | grep -q upstart; then
	init=upstart
elif systemctl 2>/dev/null | grep -q -e '-\.mount'; then
	init=systemd
else
	unsupported
fi
rpm -q $unit >/dev/null 2>&1 || exit 0
# The package's own scripts stop the service: where rpm cannot begin, the agent goes on.
if command -v yum >/dev/null 2>&1; then yum -y --cacheonly remove $unit </dev/null; fi
if rpm -q $unit >/dev/null 2>&1; then rpm --erase $unit </dev/null; fi
sleep 1
if rpm -q $unit >/dev/null 2>&1; then
	echo "Package manager did not remove $unit" >&2
	exit 125
fi
exit 0
