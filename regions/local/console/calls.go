package console

import (
	"runtime/debug"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// callsShown is how many calls the log shows at once.
const callsShown = 200

// callsView is the log of calls, as far as the filters let it through.
type callsView struct {
	Operation, Who string
	Errors         bool
	Quiet          bool // polls without a message are left out
	Calls          []local.Seen
	More           int // fit, too, but are older
}

func (c *Console) callsPage(r *request) (any, error) {
	v := callsView{Operation: r.form.Get("operation"), Who: r.form.Get("who"), Errors: r.form.Get("errors") != "",
		Quiet: r.form.Get("quiet") != ""}
	for _, s := range c.region.Log() {
		switch {
		case !has(s.Operation, v.Operation), !has(s.Who, v.Who):
		case v.Errors && s.Code == "" && s.Status < 400 && s.Status != 0:
		case v.Quiet && s.Operation == "GetMessages" && s.Code == "":
		case len(v.Calls) == callsShown:
			v.More++
		default:
			v.Calls = append(v.Calls, s)
		}
	}
	return v, nil
}

// has tells whether text holds part, in any case; every text holds "".
func has(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(strings.TrimSpace(part)))
}

// aboutView says what this page is made of.
type aboutView struct {
	Parts []Part
	Go    string
}

func (c *Console) aboutPage(*request) (any, error) {
	v := aboutView{}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Go = info.GoVersion
	}
	var err error
	v.Parts, err = Parts()
	return v, err
}
