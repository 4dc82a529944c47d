package local

import (
	"crypto/rand"
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

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

// Limits of activations (spec identity 17).
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
	var k check
	k.required("iamRole", in.IamRole)
	k.length("iamRole", in.IamRole, 1, 64)
	k.length("description", in.Description, 0, 256)
	k.length("defaultInstanceName", in.DefaultInstanceName, 0, 256)
	k.number("registrationLimit", in.RegistrationLimit, 1, registrationsMost)
	k.tags("tags", in.Tags)
	if err := k.err(); err != nil {
		return err
	}
	if in.ExpirationDate == nil {
		return nil
	}
	switch end := in.ExpirationDate.Time; {
	case !end.After(now):
		return refuse("InvalidParameters", "The expiration date of an activation must lie in the future.")
	case end.After(now.Add(activationLifeLongest)):
		return refuse("InvalidParameters", "The expiration date of an activation must be at most 30 days away.")
	}
	return nil
}

func createActivation(c *call) (any, error) {
	var in createActivationInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	a, err := c.region.activate(in)
	if err != nil {
		return nil, err
	}
	return struct{ ActivationId, ActivationCode string }{a.ActivationId, a.SecretCode}, nil
}

func (r *Region) activate(in createActivationInput) (keptActivation, error) {
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
	return a, r.db.Update(func(tx *bbolt.Tx) error { return save(tx, inActivations, a.ActivationId, a) })
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

func describeActivations(c *call) (any, error) {
	var in struct {
		Filters []activationFilter
		paging
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	var k check
	k.number("maxResults", in.MaxResults, 1, 50)
	for _, f := range in.Filters {
		if f.FilterKey != "ActivationIds" && f.FilterKey != "DefaultInstanceName" && f.FilterKey != "IamRole" {
			return nil, refuse("InvalidFilter", "The filter key %q isn't valid. Valid keys: ActivationIds, DefaultInstanceName, IamRole.", f.FilterKey)
		}
	}
	if err := k.err(); err != nil {
		return nil, err
	}
	var out struct {
		ActivationList []activation
		NextToken      string `json:",omitempty"`
	}
	all, err := c.region.activations(in.Filters)
	if err == nil {
		out.ActivationList, out.NextToken, err = cut(in.paging, all, 50, func(a activation) string { return a.ActivationId })
	}
	return out, err
}

func (r *Region) activations(filters []activationFilter) (all []activation, err error) {
	now := r.now()
	err = r.db.View(func(tx *bbolt.Tx) error {
		return each(tx, inActivations, "", func(_ string, a activation) bool {
			a.Expired = a.expiredAt(now)
			if !slices.ContainsFunc(filters, func(f activationFilter) bool { return !f.matches(a) }) {
				all = append(all, a)
			}
			return false
		})
	})
	return all, err
}

func deleteActivation(c *call) (any, error) {
	var in struct{ ActivationId string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if !isUUID(in.ActivationId) {
		return nil, refuse("InvalidActivationId", "The activation ID isn't valid: an activation ID looks like 8-4-4-4-12 hexadecimal digits.")
	}
	return struct{}{}, c.region.db.Update(func(tx *bbolt.Tx) error {
		if _, ok, err := fetch[keptActivation](tx, inActivations, in.ActivationId); err != nil || !ok {
			return orNotFound(err, refuse("InvalidActivation", "There is no activation %s.", in.ActivationId))
		}
		return remove(tx, inActivations, in.ActivationId)
	})
}

// orNotFound is the error of a look-up that found nothing: err where the look-up itself failed.
func orNotFound(err error, missing fault) error {
	if err != nil {
		return err
	}
	return missing
}

// spend takes one registration of an activation (spec identity 17).
func (r *Region) spend(tx *bbolt.Tx, id, code string) (keptActivation, error) {
	a, ok, err := fetch[keptActivation](tx, inActivations, id)
	switch {
	case err != nil:
		return a, err
	case !ok || subtle.ConstantTimeCompare([]byte(a.SecretCode), []byte(code)) != 1:
		return a, refuse("InvalidActivation", "The activation isn't valid. The activation might have been deleted, or the activation ID and the activation code don't match.")
	case a.expiredAt(r.now()):
		return a, refuse("ActivationExpired", "The activation %s expired at %s.", id, a.ExpirationDate.UTC().Format(time.RFC3339))
	case a.RegistrationsCount >= a.RegistrationLimit:
		return a, refuse("RegistrationLimitExceeded", "The activation %s has reached its limit of %d registrations.", id, a.RegistrationLimit)
	}
	a.RegistrationsCount++
	return a, save(tx, inActivations, id, a)
}

// tags checks keys and values as every tagging operation does.
func (k *check) tags(member string, tags []wire.Tag) {
	for _, t := range tags {
		k.required(member+".member.key", t.Key)
		k.length(member+".member.key", t.Key, 1, 128)
		k.length(member+".member.value", t.Value, 0, 256)
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			k.fail(member+".member.key", "'"+t.Key+"'", "Member must not begin with aws:")
		}
	}
}
