
label=com.amazon.aws.ssm
job=/Library/LaunchDaemons/$label.plist
if launchctl list $label >/dev/null 2>&1; then launchctl unload -w $job; fi
rm -rf /opt/aws/ssm/bin
for name in amazon-ssm-agent.json.template seelog.xml.template RELEASENOTES.md README.md NOTICE.md; do
	rm -f "/opt/aws/ssm/$name"
done
rm -f $job
if pkgutil --pkgs 2>/dev/null | grep -qx $label; then pkgutil --forget $label; fi
exit 0
