package takeover

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// Order is the command line that an original agent starts its updater with (docs/protocol/update.md, "Updater command line").
type Order struct {
	Update         bool   `json:"update"`
	SelfUpdate     bool   `json:"self_update,omitempty"` // the original's own schedule: only away from a deprecated version, and no reply
	NoDowngrade    bool   `json:"no_downgrade,omitempty"`
	Source         string `json:"source"` // version that runs
	SourceLocation string `json:"source_location,omitempty"`
	Target         string `json:"target"` // a version, latest, stable or None
	Package        string `json:"package"`
	MessageID      string `json:"message_id,omitempty"`
	Stdout         string `json:"stdout,omitempty"` // names of files
	Stderr         string `json:"stderr,omitempty"`
	OutputKey      string `json:"output_key,omitempty"`
	OutputBucket   string `json:"output_bucket,omitempty"`
	ManifestURL    string `json:"manifest_url,omitempty"`
	Upstream       string `json:"upstream"` // the lane that the command came by
}

// Lanes, as in -upstream.service.name.
const (
	laneEC2 = "MessageDeliveryService"
	laneSSM = "MessageGatewayService"
)

// Usage is printed where -update is missing or a flag is none.
const Usage = `usage: updater -update -source.version V -target.version V -package.name NAME -manifest.url URL [-disable.downgrade]
       [-messageid ID] [-stdout NAME] [-stderr NAME] [-output.key KEY] [-output.bucket BUCKET] [-upstream.service.name LANE]
       [-selfupdate] [-source.location URL]
On Windows the names have hyphens for dots. source.hash, target.location and target.hash are accepted and ignored.`

// ParseOrder reads the command line. The names of either system are taken on both; flags that only old agents pass are taken and ignored;
// an unknown flag is an error, as it is to the original.
func ParseOrder(args []string) (Order, error) {
	o, dead := Order{}, ""
	set := flag.NewFlagSet("updater", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	both := func(name string, define func(name string)) {
		define(name)
		if dashed := strings.ReplaceAll(name, ".", "-"); dashed != name {
			define(dashed)
		}
	}
	for name, to := range map[string]*bool{"update": &o.Update, "selfupdate": &o.SelfUpdate, "disable.downgrade": &o.NoDowngrade} {
		both(name, func(name string) { set.BoolVar(to, name, false, "") })
	}
	for name, to := range map[string]*string{"source.version": &o.Source, "source.location": &o.SourceLocation, "source.hash": &dead,
		"target.version": &o.Target, "target.location": &dead, "target.hash": &dead, "package.name": &o.Package, "messageid": &o.MessageID,
		"stdout": &o.Stdout, "stderr": &o.Stderr, "output.key": &o.OutputKey, "output.bucket": &o.OutputBucket,
		"manifest.url": &o.ManifestURL} {
		both(name, func(name string) { set.StringVar(to, name, "", "") })
	}
	set.StringVar(&o.Upstream, "upstream.service.name", laneEC2, "") // dots on Windows, too
	if err := set.Parse(args); err != nil {
		return o, err
	}
	if o.SelfUpdate {
		o.Package, o.MessageID, o.Target = agentPackage, "", latest
	}
	return o, nil
}

// Missing are the flags without which an update cannot succeed. The original says so and goes on, to an answer that says why.
func (o Order) Missing() (list []string) {
	if o.ManifestURL == "" && o.SourceLocation == "" {
		list = append(list, "manifest.url")
	}
	if o.Source == "" {
		list = append(list, "source.version")
	}
	if o.Target == "" && !o.SelfUpdate {
		list = append(list, "target.version")
	}
	return list
}

// manifestURL is where the manifest lies. Agents before 3.0 gave only the address of a package; the manifest lies above it
// (docs/protocol/update.md, "Manifest URL and endpoints").
func (o Order) manifestURL() (string, error) {
	if o.ManifestURL != "" || o.SourceLocation == "" {
		if o.ManifestURL == "" {
			return "", fmt.Errorf("URL does not have expected path structure: %s", "")
		}
		return o.ManifestURL, nil
	}
	scheme, rest, ok := strings.Cut(o.SourceLocation, "://")
	parts := strings.Split(rest, "/") // host, then the path
	if at := len(parts) - 3; ok && (at == 1 || at == 2) && parts[at] == agentPackage {
		return scheme + "://" + strings.Join(parts[:at], "/") + "/" + manifestName, nil
	}
	return "", fmt.Errorf("URL does not have expected path structure: %s", o.SourceLocation)
}
