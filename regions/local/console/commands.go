package console

import (
	"slices"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// commandsShown is how many commands the list has.
const commandsShown = 100

// wave is how far the targets of a command are.
type wave struct {
	local.CommandOverview
	Parts []wavePart
	Done  int
}

// wavePart is how many targets have a status.
type wavePart struct {
	Status      string
	Hosts       int
	From, Share int // percent
}

func waveOf(o local.CommandOverview) wave {
	w := wave{CommandOverview: o}
	count := map[string]int{}
	for _, n := range o.Nodes {
		count[n.Status]++
		if n.Over {
			w.Done++
		}
	}
	order := []string{"Success", "Failed", "TimedOut", "Cancelled", "Cancelling", "InProgress", "Delayed", "Pending"}
	before := 0
	for _, status := range order {
		if n := count[status]; n > 0 {
			w.Parts = append(w.Parts, wavePart{status, n, share(before, len(o.Nodes)), share(before+n, len(o.Nodes)) - share(before, len(o.Nodes))})
			before += n
		}
	}
	return w
}

func (c *Console) commandsPage(*request) (any, error) {
	commands, err := c.region.RecentCommands(commandsShown)
	if err != nil {
		return nil, err
	}
	all := []wave{}
	for _, o := range commands {
		all = append(all, waveOf(o))
	}
	return all, nil
}

// commandView is one command, with the output of the hosts that are looked at.
type commandView struct {
	wave
	Given   []given
	Host    string // whose output is asked for; empty: that of the first ones
	Outputs []output
}

// given is a parameter as it was given.
type given struct {
	Name   string
	Values []string
}

type output struct {
	local.CommandStand
	Answer local.Invocation
}

// outputsShown is how many hosts' output a command's page shows at once.
const outputsShown = 5

func (c *Console) commandPage(r *request) (any, error) {
	o, err := c.region.Command(r.arg)
	if err != nil {
		return nil, errNone
	}
	v := commandView{wave: waveOf(o), Host: r.form.Get("host")}
	for name, values := range o.Parameters {
		v.Given = append(v.Given, given{name, values})
	}
	slices.SortFunc(v.Given, func(a, b given) int { return compareVersions(a.Name, b.Name) })
	for _, n := range o.Nodes {
		if v.Host != "" && v.Host != n.Instance || len(v.Outputs) == outputsShown {
			continue
		}
		answer, err := c.region.Invocation(o.ID, n.Instance)
		if err != nil {
			return nil, err
		}
		v.Outputs = append(v.Outputs, output{n, answer})
	}
	return v, nil
}

func (c *Console) cancelCommand(r *request) (string, any, error) {
	return "command/" + r.arg, nil, c.region.Ask(r.ctx, "CancelCommand", map[string]any{"CommandId": r.arg}, nil)
}
