
arguments "$@"
label=com.amazon.aws.ssm
job=/Library/LaunchDaemons/$label.plist
agent=/opt/aws/ssm/bin/amazon-ssm-agent
if [ ! -f $unit.tar.gz ]; then
	echo "[ERROR] $unit.tar.gz is missing" >&2
	exit 1
fi
if ! tar -tzf $unit.tar.gz >/dev/null; then
	echo "[ERROR] $unit.tar.gz is damaged" >&2
	exit 125
fi
if launchctl list $label >/dev/null 2>&1; then launchctl unload -w $job; fi
code=0
tar -xzf $unit.tar.gz -C / || code=125
if [ $code -eq 0 ]; then register "$@" || code=1; fi
launchctl load -w $job
launchctl start $label
if [ $code -eq 0 ] && ! launchctl list $label >/dev/null 2>&1; then
	echo "$label is not loaded" >&2
	code=1
fi
exit $code
