
init=$(supervisor)
[ -n "$init" ] || unsupported
installed() { dpkg-query -W -f='${Status}' $unit 2>/dev/null | grep -q '^install ok installed'; }
installed || exit 0
# The package's own scripts stop the service: where dpkg cannot begin, the agent goes on.
dpkg -r $unit </dev/null || exit 125
if installed; then exit 125; fi
exit 0
