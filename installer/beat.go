package installer

import "time"

// BeatPeriod is how often an agent writes its pulse where an update is watched for so long (Agent.UpdateWatchSeconds): every 5 s,
// and six times in a watch at least. The agent that writes it and the updater of another version that watches it have to agree:
// two thirds of the watch without a pulse are silence, and not bad luck.
func BeatPeriod(watch time.Duration) time.Duration { return min(5*time.Second, watch/6) }
