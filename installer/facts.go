package installer

import (
	"encoding/json"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// Facts are for configuration scanners and inventory tools, which ask package managers and know one version only. They are a JSON object
// in a file that Ansible (ansible_local) and Facter read as it is, by a link in their folders; Facter makes a fact of each member, so
// there is one that names the product.
type Facts struct {
	Agent AgentFacts `json:"amazon_ssm_agent"`
}

// AgentFacts are the versions of the agent, and since when the running one runs.
type AgentFacts struct {
	PackageVersion string    `json:"package_version"` // what the package manager says; empty: not known
	RunningVersion string    `json:"running_version"` // of the agent that runs, or ran last
	RunningSince   time.Time `json:"running_since"`
}

// WriteFacts writes the facts of the agent that calls it, which started at a moment, whole or not at all. They are removed with the
// package.
func WriteFacts(l Layout, since time.Time) error {
	f := AgentFacts{RunningVersion: stamp.Version(), RunningSince: since.UTC().Truncate(time.Second)}
	if launcher, err := os.Open(l.Launcher()); err == nil {
		defer launcher.Close()
		if v, err := stamp.Find(launcher); err == nil {
			f.PackageVersion = v
		}
	}
	text, err := json.MarshalIndent(Facts{f}, "", "  ")
	if err != nil {
		return err
	}
	return host.WriteFile(l.Facts(), append(text, '\n'), 0o644)
}
