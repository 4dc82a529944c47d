package output

// Settings say where the output of a job's steps goes besides the local files. The zero value: nowhere.
type Settings struct {
	Bucket   string `json:"bucket,omitempty"`    // S3 bucket; empty: no upload
	Prefix   string `json:"prefix,omitempty"`    // <OutputS3KeyPrefix>/<CommandId>/<Destination>
	LogGroup string `json:"log_group,omitempty"` // CloudWatch Logs group; empty: off
	Stream   string `json:"stream,omitempty"`    // <CommandId>/<sid>, prefix of the stream names
	CleanUp  string `json:"clean_up,omitempty"`  // Ssm.PluginLocalOutputCleanup: default, after-execution, after-upload
}
