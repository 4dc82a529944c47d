package output

import (
	"path"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Settings say where the output of a job's steps goes besides the local files. They are made when a command is accepted and travel
// with its job. The zero value: nowhere.
type Settings struct {
	Bucket   string `json:"bucket,omitempty"`    // S3 bucket; empty: no upload
	Prefix   string `json:"prefix,omitempty"`    // <OutputS3KeyPrefix>/<CommandId>/<Destination>
	LogGroup string `json:"log_group,omitempty"` // CloudWatch Logs group; empty: off
	Stream   string `json:"stream,omitempty"`    // <CommandId>/<sid>, prefix of the stream names
	CleanUp  string `json:"clean_up,omitempty"`  // Ssm.PluginLocalOutputCleanup: default, after-execution, after-upload
}

// Elsewhere tells whether output is wanted besides the reply and the local files.
func (s Settings) Elsewhere() bool { return s.Bucket != "" || s.LogGroup != "" }

// Location is where the streams of one step are kept.
type Location struct {
	Dir    string // the folder of the four files
	Plugin string // without colons
	Step   string // without colons
	Upload Upload // the names in the bucket; all empty without one
	Log    string // the step's id as names of log streams have it
	Note   string // what else the step's output says, where its action has another program answer
	Open   bool   // the step is not over: it runs again after a reboot, or an updater will add to its files

	Answered bool // by an updater, which puts the files into the bucket itself
}

// Upload is how a result names what was uploaded of a step; all empty without a bucket. The JSON form is the original's.
type Upload struct {
	Bucket string `json:"outputS3BucketName"`
	Prefix string `json:"outputS3KeyPrefix"` // <prefix of the settings>/<plugin>
	Step   string `json:"stepName"`          // the element of the key after that
}

// Location is where a step's streams go: <dir>/<plugin>/<step>, <dir>/<plugin> where the step has no name, and below the same names
// in the bucket. id is the step's own.
func (s Settings) Location(dir string, plugin, step host.Name, id string) Location {
	l := Location{Dir: plugin.In(dir), Plugin: plugin.String(), Step: step.String(), Log: id}
	if !step.IsZero() {
		l.Dir = step.In(l.Dir)
	}
	if s.Bucket != "" {
		l.Upload = Upload{Bucket: s.Bucket, Prefix: strings.TrimPrefix(path.Join("/", s.Prefix, l.Plugin), "/"), Step: l.Step}
	}
	return l
}
