package console

import (
	"context"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// commandsLooked is how many of the newest commands a host's last one is looked for in.
const commandsLooked = 50

// hostRow is one host in a list.
type hostRow struct {
	local.Instance
	Update  string // up to date, behind, ahead, under way, failed, undone, "" where the region has no release
	Detail  string // of the update
	Place   int    // of its version among the region's releases, from 1; 0: it is none of them
	Command *lastCommand
}

type lastCommand struct {
	ID, Document, Status string
}

// versionBar is how many hosts run a version.
type versionBar struct {
	Version string
	Hosts   int
	From    int // percent of all hosts that lie before it
	Share   int // percent
	Age     int // 0: the newest release; 1, 2, 3: so many releases older, or more; 4: no release of this region
}

type hostsView struct {
	Hosts    []hostRow
	Bars     []versionBar
	Pings    map[string]int // hosts by ping status
	Latest   string
	Releases int
}

func (c *Console) hostsPage(*request) (any, error) {
	versions, latest, err := c.versions()
	if err != nil {
		return nil, err
	}
	commands, err := c.region.RecentCommands(commandsLooked)
	if err != nil {
		return nil, err
	}
	v := hostsView{Pings: map[string]int{}, Latest: latest, Releases: len(versions)}
	for _, i := range c.region.Instances() {
		h, err := c.history(i.InstanceID)
		if err != nil {
			return nil, err
		}
		row := hostRow{Instance: i, Place: slices.Index(versions, i.AgentVersion) + 1, Command: lastOf(commands, i.InstanceID)}
		row.Update, row.Detail = standing(i.AgentVersion, latest, h)
		v.Pings[i.PingStatus]++
		v.Hosts = append(v.Hosts, row)
	}
	slices.SortStableFunc(v.Hosts, func(a, b hostRow) int {
		return strings.Compare(a.Agent.ComputerName+a.InstanceID, b.Agent.ComputerName+b.InstanceID)
	})
	v.Bars = bars(v.Hosts, versions, latest)
	return v, nil
}

// versions are those the region has packages of, oldest first, and the newest as its VERSION says ("" without one).
func (c *Console) versions() (all []string, latest string, err error) {
	releases, err := c.releases()
	if err != nil {
		return nil, "", err
	}
	for _, r := range slices.Backward(releases.All) {
		all = append(all, r.Version)
	}
	return all, releases.Latest, nil
}

// standing says how far a host's version is, and its last update where that did not end well.
func standing(version, latest string, h history) (state, detail string) {
	if n := len(h.Updates); n > 0 {
		u := h.Updates[n-1]
		to := u.To
		if to == "" {
			to = "another version"
		}
		switch {
		case u.Status == underWay:
			return underWay, u.From + " → " + to
		case u.Status != "succeeded" && version != latest:
			return u.Status, u.From + " → " + to + ": " + u.Code
		}
	}
	have, err1 := manifests.ParseVersion(version)
	newest, err2 := manifests.ParseVersion(latest)
	switch {
	case err1 != nil || err2 != nil:
		return "", ""
	case have.Less(newest):
		return "behind", "newest is " + latest
	case newest.Less(have):
		return "ahead", "newest is " + latest
	}
	return "up to date", ""
}

func lastOf(commands []local.CommandOverview, id string) *lastCommand {
	for _, c := range commands {
		for _, n := range c.Nodes {
			if n.Instance == id {
				return &lastCommand{c.ID, c.Document, n.Status}
			}
		}
	}
	return nil
}

// bars are the versions that hosts run, the newest first.
func bars(hosts []hostRow, versions []string, latest string) (all []versionBar) {
	count := map[string]int{}
	for _, h := range hosts {
		count[h.AgentVersion]++
	}
	newest := slices.Index(versions, latest)
	for version, n := range count {
		b := versionBar{Version: version, Hosts: n, Age: 4}
		if at := slices.Index(versions, version); at >= 0 {
			b.Age = min(max(newest-at, 0), 3)
		}
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b versionBar) int { return compareVersions(b.Version, a.Version) })
	before := 0
	for i := range all {
		all[i].From, all[i].Share = share(before, len(hosts)), share(before+all[i].Hosts, len(hosts))-share(before, len(hosts))
		before += all[i].Hosts
	}
	return all
}

// compareVersions orders version texts; what is no version comes first.
func compareVersions(a, b string) int {
	v, err1 := manifests.ParseVersion(a)
	w, err2 := manifests.ParseVersion(b)
	if err1 != nil || err2 != nil {
		return strings.Compare(a, b)
	}
	return v.Compare(w)
}

// hostView is one host.
type hostView struct {
	hostRow
	Latest   string
	Releases int
	Seen     []sighting // the newest first
	Updates  []updateRow
	Commands []hostCommand
}

// updateRow is an update and why it was made.
type updateRow struct {
	update
	Why     string
	Command string // id, where one asked for it
}

// hostCommand is a command with what the host answered so far.
type hostCommand struct {
	local.CommandOverview
	Stand  local.CommandStand
	Answer local.Invocation
}

// hostCommands is how many commands a host's page shows with their output.
const hostCommands = 5

func (c *Console) hostPage(r *request) (any, error) {
	list := c.region.Instances()
	at := slices.IndexFunc(list, func(i local.Instance) bool { return i.InstanceID == r.arg })
	if at < 0 {
		return nil, errNone
	}
	versions, latest, err := c.versions()
	if err != nil {
		return nil, err
	}
	commands, err := c.region.RecentCommands(commandsLooked)
	if err != nil {
		return nil, err
	}
	h, err := c.history(r.arg)
	if err != nil {
		return nil, err
	}
	v := hostView{hostRow: hostRow{Instance: list[at], Place: slices.Index(versions, list[at].AgentVersion) + 1}, Latest: latest,
		Releases: len(versions), Seen: h.Versions}
	v.Update, v.Detail = standing(v.AgentVersion, latest, h)
	slices.Reverse(v.Seen)
	for _, u := range slices.Backward(h.Updates) {
		v.Updates = append(v.Updates, c.why(r.ctx, u, commands, r.arg))
	}
	for _, o := range commands {
		i := slices.IndexFunc(o.Nodes, func(s local.CommandStand) bool { return s.Instance == r.arg })
		if i >= 0 && len(v.Commands) < hostCommands {
			answer, err := c.region.Invocation(o.ID, r.arg)
			if err != nil {
				return nil, err
			}
			v.Commands = append(v.Commands, hostCommand{o, o.Nodes[i], answer})
		}
	}
	return v, nil
}

// why finds what an update was made for: the host's own timer, as its updater says, or the update command that was open at its
// beginning. For the rest the region was told no reason.
func (c *Console) why(_ context.Context, u update, commands []local.CommandOverview, id string) updateRow {
	row := updateRow{update: u}
	if u.OwnTimer {
		row.Why = "the host's own timer"
		return row
	}
	for _, o := range commands { // the newest first: the last one sent before it began
		if strings.Contains(o.Document, "UpdateSSMAgent") && !o.Requested.After(u.Begun) &&
			slices.ContainsFunc(o.Nodes, func(s local.CommandStand) bool { return s.Instance == id }) {
			row.Why, row.Command = "a command asked for it", o.ID
			return row
		}
	}
	return row
}
