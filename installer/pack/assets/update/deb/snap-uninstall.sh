
init=$(supervisor)
[ "$init" = systemd ] || unsupported
unit=snap.$unit.$unit
stop
exit 0
