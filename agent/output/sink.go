package output

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// Sink is one way in which output is kept when a step ended, before its reply is sent. A place that commands may ask for and that this
// version does not serve is a row without Keep, with Without: a step's output says so, and no reply names the place (see [Served]).
type Sink struct {
	Name    string
	Wanted  func(Settings) bool
	Keep    func(ctx context.Context, s Settings, l Location) error
	Without func(Settings) Settings // the settings that ask no longer; nil where there is Keep
}

// Region is the region's services as this node may use them, for sinks that keep output there. A function is called only when a sink
// is wanted.
type Region struct {
	S3     func() (*cloud.S3, error)
	Client func(cloud.Service) (*cloud.Client, error)
}

// Table lists the sinks in the order they are served. A sink that keeps output in the region takes r. Local files come last: what is
// uploaded may be removed then.
func Table(_ Region) []Sink {
	return []Sink{
		{Name: "S3", Wanted: func(s Settings) bool { return s.Bucket != "" },
			Without: func(s Settings) Settings { s.Bucket, s.Prefix = "", ""; return s }},
		{Name: "CloudWatch Logs", Wanted: func(s Settings) bool { return s.LogGroup != "" },
			Without: func(s Settings) Settings { s.LogGroup, s.Stream = "", ""; return s }},
		{Name: "files", Wanted: func(s Settings) bool { return s.CleanUp == afterExecution }, Keep: removeFiles},
	}
}

// afterExecution is the value of Ssm.PluginLocalOutputCleanup that leaves nothing behind.
const afterExecution = "after-execution"

// Served is what the sinks keep of what the settings ask for. The note names the places that they do not keep and stands in the
// output of every step that ran; empty: all is kept.
func Served(sinks []Sink, s Settings) (kept Settings, note string) {
	var missing []string
	for _, sink := range sinks {
		if sink.Keep == nil && sink.Wanted(s) {
			missing = append(missing, sink.Name)
			s = sink.Without(s)
		}
	}
	if missing == nil {
		return s, ""
	}
	return s, "\nOutput to " + strings.Join(missing, " and ") + " is not kept: not in this version.\n"
}

// Keep serves every sink of a table that the settings ask for; one that fails does not stop the others.
func Keep(ctx context.Context, sinks []Sink, s Settings, l Location) error {
	var err error
	for _, sink := range sinks {
		if sink.Keep != nil && sink.Wanted(s) {
			err = errors.Join(err, sink.Keep(ctx, s, l))
		}
	}
	return err
}

func removeFiles(_ context.Context, _ Settings, l Location) error {
	if l.Open {
		return nil
	}
	var failed error
	for _, name := range []string{stdoutFile, stderrFile, stdoutConsole, stderrConsole} {
		if err := os.Remove(filepath.Join(l.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
