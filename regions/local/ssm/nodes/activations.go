package nodes

import (
	"crypto/rand"
	"crypto/subtle"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// activation lets machines register; it is shown as it is here.
type activation struct {
	ActivationId        string
	Description         string
	DefaultInstanceName string
	IamRole             string
	RegistrationLimit   int
	RegistrationsCount  int
	ExpirationDate      wire.Epoch
	Expired             bool
	CreatedDate         wire.Epoch
	Tags                []wire.Tag `json:",omitempty"`
}

// keptActivation is the record of an activation. Its code, 20 to 250 characters, is given out once, at creation.
type keptActivation struct {
	activation
	SecretCode string
}

func (a activation) expiredAt(now time.Time) bool { return !now.Before(a.ExpirationDate.Time) }

// Limits of activations (docs/protocol/identity.md, "Service-side facts for a local region").
const (
	activationLife        = 24 * time.Hour
	activationLifeLongest = 30 * 24 * time.Hour
	registrationsMost     = 1000
)

type createActivationInput struct {
	Description         string
	DefaultInstanceName string
	IamRole             string
	RegistrationLimit   *int
	ExpirationDate      *wire.Epoch
	Tags                []wire.Tag
}

func (in createActivationInput) check(now time.Time) error {
	var k protocol.Check
	k.Required("iamRole", in.IamRole)
	k.Length("iamRole", in.IamRole, 1, 64)
	k.Length("description", in.Description, 0, 256)
	k.Length("defaultInstanceName", in.DefaultInstanceName, 0, 256)
	k.Number("registrationLimit", in.RegistrationLimit, 1, registrationsMost)
	k.Tags("tags", in.Tags)
	if err := k.Err(); err != nil {
		return err
	}
	if in.ExpirationDate == nil {
		return nil
	}
	switch end := in.ExpirationDate.Time; {
	case !end.After(now):
		return protocol.Refuse("InvalidParameters", "The expiration date of an activation must lie in the future.")
	case end.After(now.Add(activationLifeLongest)):
		return protocol.Refuse("InvalidParameters", "The expiration date of an activation must be at most 30 days away.")
	}
	return nil
}

func (r *Registry) createActivation(c *protocol.Call) (any, error) {
	var in createActivationInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	a, err := r.activate(in)
	if err != nil {
		return nil, err
	}
	return struct{ ActivationId, ActivationCode string }{a.ActivationId, a.SecretCode}, nil
}

func (r *Registry) activate(in createActivationInput) (keptActivation, error) {
	now := r.now()
	if err := in.check(now); err != nil {
		return keptActivation{}, err
	}
	a := keptActivation{SecretCode: rand.Text(), activation: activation{
		ActivationId: uuid.NewString(), Description: in.Description, DefaultInstanceName: in.DefaultInstanceName,
		IamRole: in.IamRole, RegistrationLimit: 1, ExpirationDate: wire.Epoch{Time: now.Add(activationLife)},
		CreatedDate: wire.Epoch{Time: now}, Tags: in.Tags,
	}}
	if in.RegistrationLimit != nil {
		a.RegistrationLimit = *in.RegistrationLimit
	}
	if in.ExpirationDate != nil {
		a.ExpirationDate = *in.ExpirationDate
	}
	return a, r.records.Update(func(tx *records.Tx) error { return records.Save(tx, activationsTable, a.ActivationId, a) })
}

type activationFilter struct {
	FilterKey    string
	FilterValues []string
}

func (f activationFilter) matches(a activation) bool {
	switch f.FilterKey {
	case "ActivationIds":
		return slices.Contains(f.FilterValues, a.ActivationId)
	case "DefaultInstanceName":
		return slices.Contains(f.FilterValues, a.DefaultInstanceName)
	default:
		return slices.Contains(f.FilterValues, a.IamRole)
	}
}

func (r *Registry) describeActivations(c *protocol.Call) (any, error) {
	var in struct {
		Filters []activationFilter
		protocol.Paging
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var k protocol.Check
	k.Number("maxResults", in.MaxResults, 1, 50)
	for _, f := range in.Filters {
		if f.FilterKey != "ActivationIds" && f.FilterKey != "DefaultInstanceName" && f.FilterKey != "IamRole" {
			return nil, protocol.Refuse("InvalidFilter",
				"The filter key %q isn't valid. Valid keys: ActivationIds, DefaultInstanceName, IamRole.", f.FilterKey)
		}
	}
	if err := k.Err(); err != nil {
		return nil, err
	}
	var out struct {
		ActivationList []activation
		NextToken      string `json:",omitempty"`
	}
	all, err := r.activations(in.Filters)
	if err == nil {
		out.ActivationList, out.NextToken, err = protocol.Cut(in.Paging, all, 50, func(a activation) string { return a.ActivationId })
	}
	return out, err
}

func (r *Registry) activations(filters []activationFilter) (all []activation, err error) {
	now := r.now()
	err = r.records.View(func(tx *records.Tx) error {
		return records.Each(tx, activationsTable, "", func(_ string, a activation) bool {
			a.Expired = a.expiredAt(now)
			if !slices.ContainsFunc(filters, func(f activationFilter) bool { return !f.matches(a) }) {
				all = append(all, a)
			}
			return false
		})
	})
	return all, err
}

func (r *Registry) deleteActivation(c *protocol.Call) (any, error) {
	var in struct{ ActivationId string }
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if !protocol.IsUUID(in.ActivationId) {
		return nil, protocol.Refuse("InvalidActivationId",
			"The activation ID isn't valid: an activation ID looks like 8-4-4-4-12 hexadecimal digits.")
	}
	return struct{}{}, r.records.Update(func(tx *records.Tx) error {
		if _, ok, err := records.Fetch[keptActivation](tx, activationsTable, in.ActivationId); err != nil || !ok {
			return protocol.NotFound(err, protocol.Refuse("InvalidActivation", "There is no activation %s.", in.ActivationId))
		}
		return records.Remove(tx, activationsTable, in.ActivationId)
	})
}

// spend takes one registration of an activation (docs/protocol/identity.md, "Service-side facts for a local region").
func (r *Registry) spend(tx *records.Tx, id, code string) (keptActivation, error) {
	a, ok, err := records.Fetch[keptActivation](tx, activationsTable, id)
	switch {
	case err != nil:
		return a, err
	case !ok || subtle.ConstantTimeCompare([]byte(a.SecretCode), []byte(code)) != 1:
		return a, protocol.Refuse("InvalidActivation",
			"The activation isn't valid. The activation might have been deleted, or the activation ID and the activation code don't match.")
	case a.expiredAt(r.now()):
		return a, protocol.Refuse("ActivationExpired", "The activation %s expired at %s.", id, a.ExpirationDate.UTC().Format(time.RFC3339))
	case a.RegistrationsCount >= a.RegistrationLimit:
		return a, protocol.Refuse("RegistrationLimitExceeded", "The activation %s has reached its limit of %d registrations.", id,
			a.RegistrationLimit)
	}
	a.RegistrationsCount++
	return a, records.Save(tx, activationsTable, id, a)
}
