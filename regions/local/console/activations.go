package console

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// activationRow is the SDK's type Activation, as far as it is shown.
type activationRow struct {
	ActivationId, Description, DefaultInstanceName, IamRole string
	RegistrationLimit, RegistrationsCount                   int
	ExpirationDate, CreatedDate                             wire.Epoch
	Expired                                                 bool
}

// activationsView are all activations, and the one that was just made: its code is told once.
type activationsView struct {
	All           []activationRow
	ID, Code      string
	Line          string // installs and registers a host
	Limit         int
	Beyond        bool // other machines reach the region
	RegionAddress string
}

// limitUsual is how many hosts an activation takes in unless told.
const limitUsual = 10

func (c *Console) activationsPage(r *request) (any, error) {
	v := &activationsView{Limit: limitUsual, RegionAddress: c.region.URL()}
	in := map[string]any{"MaxResults": 50}
	for {
		var out struct {
			ActivationList []activationRow
			NextToken      string
		}
		if err := c.region.Ask(r.ctx, "DescribeActivations", in, &out); err != nil {
			return nil, err
		}
		v.All = append(v.All, out.ActivationList...)
		if out.NextToken == "" {
			break
		}
		in["NextToken"] = out.NextToken
	}
	slices.SortStableFunc(v.All, func(a, b activationRow) int { return b.CreatedDate.Compare(a.CreatedDate.Time) })
	return v, nil
}

// activate makes an activation, or deletes the one the form names.
func (c *Console) activate(r *request) (string, any, error) {
	if id := r.form.Get("delete"); id != "" {
		return "activations", nil, c.region.Ask(r.ctx, "DeleteActivation", map[string]any{"ActivationId": id}, nil)
	}
	limit, err := strconv.Atoi(r.form.Get("limit"))
	var made struct{ ActivationId, ActivationCode string }
	if err != nil {
		err = local.Fault{Message: "The number of hosts must be a whole number, not " + strconv.Quote(r.form.Get("limit")) + "."}
	} else {
		err = c.region.Ask(r.ctx, "CreateActivation", map[string]any{"IamRole": "LocalNode", "RegistrationLimit": limit,
			"DefaultInstanceName": r.form.Get("name"), "Description": "made in the console"}, &made)
	}
	shown, failed := c.activationsPage(r)
	if failed != nil {
		return "", nil, failed
	}
	v := shown.(*activationsView)
	if err == nil {
		v.ID, v.Code, v.Limit = made.ActivationId, made.ActivationCode, limit
		v.Line = installLine(c.region, made.ActivationId, made.ActivationCode)
	}
	return "", v, err
}

// installLine installs and registers a host from a shell. The code comes on standard input: arguments stand in the process list.
func installLine(r *local.Region, id, code string) string {
	return fmt.Sprintf("echo %s | ssm-setup install --region %s --endpoint %s --root ./host1 --activation-id %s --activation-code-file -",
		code, r.Name(), r.URL(), id)
}
