// Package config is amazon-ssm-agent.json as one value: every section and key of the original, its defaults and bounds, and six
// keys of ours, Agent.UpdateSource, Agent.PackageSource, Agent.StayCurrent, Agent.StayCurrentSeconds, Agent.UpdateWatchSeconds and
// Agent.UpdateLimitRate (docs/protocol/identity.md, "amazon-ssm-agent.json").
//
// Rules:
//   - keys match without regard to case, unknown ones are ignored, null means "not set";
//   - a value out of bounds becomes the default, it is never clamped;
//   - without a file the defaults hold, the same ones as with an empty object: the original's differences (an empty
//     Agent.Version, SelfUpdateScheduleDay 0) are not kept;
//   - text that is not JSON, or a value of the wrong type, is an [*Error] to commands that check before they change something ([Load],
//     [Set]). The agent and its helpers go on ([Read]): a broken file would take the host away, and with it the way to mend the file.
//     In its place are the last good settings, <data>/config.good, which the agent writes after its first round trip with a file; a
//     purge removes them. Without those: defaults, with commands only.
//
// [Set] edits the file and keeps everything it does not know.
package config
