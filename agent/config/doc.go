// Package config is amazon-ssm-agent.json as one value: every section and key of the original, its defaults and bounds, and two
// keys of ours, Agent.UpdateSource and Agent.UpdateWatchSeconds (docs/protocol/identity.md, "amazon-ssm-agent.json").
//
// Rules:
//   - keys match without regard to case, unknown ones are ignored, null means "not set";
//   - a value out of bounds becomes the default, it is never clamped;
//   - without a file the defaults hold, the same ones as with an empty object: the original's differences (an empty
//     Agent.Version, SelfUpdateScheduleDay 0) are not kept;
//   - text that is not JSON, or a value of the wrong type, is an [*Error]. Defaults never take the place of a file that
//     could not be read.
//
// [Set] edits the file and keeps everything it does not know.
package config
