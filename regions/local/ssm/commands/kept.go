package commands

import "path"

// kept is where a node says that it put the streams of a step.
type kept struct{ bucket, folder string }

func keptOf(st step) kept {
	if !st.Answered || st.OutputS3BucketName == "" {
		return kept{}
	}
	return kept{st.OutputS3BucketName, path.Join(st.OutputS3KeyPrefix, st.StepName)}
}

// urls are the addresses of both streams; a stream that is not there, an empty one for example, has none. It reads the records of
// buckets: no transaction may be open.
func (tr *Tracker) urls(k kept) (stdout, stderr string) {
	if k.bucket == "" {
		return "", ""
	}
	return tr.url(k.bucket, k.folder+"/stdout"), tr.url(k.bucket, k.folder+"/stderr")
}

// withURLs completes what is shown of invocations. An invocation of one step has that step's addresses, as in the SDK's type.
func (tr *Tracker) withURLs(all []invocationShown) []invocationShown {
	for i := range all {
		plugins := all[i].CommandPlugins
		for j := range plugins {
			plugins[j].StandardOutputUrl, plugins[j].StandardErrorUrl = tr.urls(plugins[j].kept)
		}
		all[i].StandardOutputUrl, all[i].StandardErrorUrl = tr.urls(all[i].kept)
	}
	return all
}
