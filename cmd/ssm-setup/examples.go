package main

// Headings in the list of subcommands.
const (
	onAMachine = "on a machine"
	ofReleases = "releases and regions"
	toTry      = "to try it here"
	ofThisTool = "this program"
)

// groups say under which heading help lists a subcommand.
var groups = map[string]string{
	"install": onAMachine, "register": onAMachine, "status": onAMachine, "update": onAMachine, "rollback": onAMachine, "versions": onAMachine,
	"logs": onAMachine, "uninstall": onAMachine, "hold": onAMachine, "unhold": onAMachine, "policy": onAMachine, "why": onAMachine,
	"unblock": onAMachine, "trust": onAMachine,
	"regions": ofReleases, "nodes": ofReleases, "build": ofReleases, "verify": ofReleases, "publish": ofReleases, "promote": ofReleases,
	"mark": ofReleases, "mirror": ofReleases, "keys": ofReleases,
	"local": toTry, "console": toTry, "demo": toTry,
	"config": ofThisTool, "self-update": ofThisTool, "version": ofThisTool, "completion": ofThisTool, "man": ofThisTool, "help": ofThisTool,
}

// examples are the command lines that help shows of a subcommand.
var examples = map[string][]string{
	"install": {
		"ssm-setup install --region eu-west-1 --activation-id ID --activation-code-file code.txt",
		"ssm-setup install --region eu-west-1 --activation-id ID  # asks for the code",
		"ssm-setup install --region eu-west-1 --source s3://my-ssm-eu-west-1 --version '>=9.1' --dry-run",
		"ssm-setup install --region local --endpoint http://127.0.0.1:7700 --root /tmp/host --activation-id ID --activation-code-file -",
	},
	"register": {
		"ssm-setup register --region eu-west-1 --activation-id ID --activation-code-file code.txt",
		"ssm-setup register --region eu-west-1 --override --yes --activation-id ID --activation-code-file -",
	},
	"status": {
		"ssm-setup status",
		"ssm-setup status --watch",
		"ssm-setup status --check --quiet || echo \"exit code $?\"",
	},
	"update": {
		"ssm-setup update",
		"ssm-setup update --check",
		"ssm-setup update --version 9.2.0.0",
		"ssm-setup update --version 9.1.0.0 --allow-downgrade",
		"ssm-setup update --if-running 9.1.0.0",
	},
	"why": {"ssm-setup why", "ssm-setup --json why --decisions 1 --lines 0"},
	"hold": {
		"ssm-setup hold --reason 'audit' --for 14d",
		"ssm-setup hold 9.2.0.0 --reason 'next versions are tested first' --until 2031-01-31",
	},
	"unhold": {"ssm-setup unhold"},
	"policy": {
		"ssm-setup policy",
		"ssm-setup policy --version '>=9.3 <9.5' --cooldown 3d",
		"ssm-setup policy --window '0 2 * * SUN 3h Europe/Berlin' --window '30 1 * * WED 90m UTC'",
		"ssm-setup policy --window ''  # at any time again",
	},
	"unblock":   {"ssm-setup unblock 9.2.0.0"},
	"rollback":  {"ssm-setup rollback", "ssm-setup rollback --dry-run"},
	"versions":  {"ssm-setup versions", "ssm-setup versions --region eu-west-1 --source s3://my-ssm-eu-west-1"},
	"logs":      {"ssm-setup logs", "ssm-setup logs -f", "ssm-setup logs --update"},
	"trust":     {"ssm-setup trust", "ssm-setup trust --json", "ssm-setup trust clear --yes"},
	"uninstall": {"ssm-setup uninstall --dry-run", "ssm-setup uninstall --purge --yes"},
	"regions":   {"ssm-setup regions", "ssm-setup regions --region eu-west-1 --region us-east-1"},
	"nodes":     {"ssm-setup nodes --region eu-west-1", "ssm-setup nodes --region local --endpoint http://127.0.0.1:7700 --watch"},
	"build": {
		"ssm-setup build --version 9.1.0.0",
		"ssm-setup build --version 9.1.0.0 --platform linux/amd64 --only deb --only rpm",
	},
	"verify": {
		"ssm-setup verify dist/9.1.0.0/*.deb",
		"ssm-setup verify --key release.asc --require dist/9.1.0.0/SHA256SUMS",
	},
	"publish": {
		"ssm-setup publish --from dist --region eu-west-1 --source s3://my-ssm-eu-west-1 --dry-run",
		"ssm-setup publish --from dist --region eu-west-1 --to s3://my-bucket/ssm",
	},
	"promote": {"ssm-setup promote --region eu-west-1 --source s3://my-ssm-eu-west-1 --version 9.1.0.0"},
	"mark": {
		"ssm-setup mark --region eu-west-1 --source s3://my-ssm-eu-west-1 --version 9.1.0.0 --status Deprecated",
		"ssm-setup mark --region eu-west-1 --source s3://my-ssm-eu-west-1 --version 9.2.0.0 --percent 10",
	},
	"mirror": {"ssm-setup mirror --region eu-west-1 --to /srv/mirror"},
	"keys": {
		"ssm-setup keys init --keys ./keys",
		"ssm-setup keys show",
		"ssm-setup keys rotate timestamp",
		"ssm-setup keys sign next.root.json",
		"ssm-setup keys refresh --region eu-west-1 --source s3://my-ssm-eu-west-1",
	},
	"local":   {"ssm-setup local", "ssm-setup local --listen 127.0.0.1:7800 --data ./region"},
	"console": {"ssm-setup console"},
	"demo":    {"ssm-setup demo"},
	"config":  {"ssm-setup config"},
	"self-update": {
		"ssm-setup self-update --region eu-west-1 --source s3://my-ssm-eu-west-1",
		"ssm-setup self-update --from ssm-setup-linux-amd64 --dry-run",
	},
	"version": {"ssm-setup version"},
	"completion": {
		"source <(ssm-setup completion bash)",
		"ssm-setup completion zsh >\"${fpath[1]}/_ssm-setup\"",
		"ssm-setup completion fish >~/.config/fish/completions/ssm-setup.fish",
		"ssm-setup completion powershell | Out-String | Invoke-Expression",
	},
	"man":  {"ssm-setup man | man -l -", "ssm-setup man install"},
	"help": {"ssm-setup help install"},
}
