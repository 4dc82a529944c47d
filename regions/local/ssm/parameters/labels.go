package parameters

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

const labelsMost = 10 // of one version

type labelInput struct {
	Name             string
	ParameterVersion *int64
	Labels           []string
}

func (in labelInput) check() error {
	var k protocol.Check
	k.Required("name", in.Name)
	if len(in.Labels) == 0 {
		k.Fail("labels", "'[]'", "Member must have length greater than or equal to 1")
	}
	k.Most("labels", len(in.Labels), labelsMost)
	for _, label := range in.Labels {
		k.Length("labels.member", label, 1, 100)
	}
	return k.Err()
}

// isLabel tells whether a version may be labelled so: no label is taken for a number, or for AWS's own.
func isLabel(label string) bool {
	lower := strings.ToLower(label)
	return protocol.Only(label, "_.-") && label != "" && (label[0] < '0' || label[0] > '9') &&
		!strings.HasPrefix(lower, "aws") && !strings.HasPrefix(lower, "ssm")
}

// labelled is the SDK's type LabelParameterVersionResult.
type labelled struct {
	InvalidLabels    []string
	ParameterVersion int64
}

// labelVersion labels a version; a label that another version has moves.
func (s *Parameters) labelVersion(c *protocol.Call) (any, error) {
	var in labelInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	out := labelled{InvalidLabels: []string{}}
	return &out, s.records.Update(func(tx *records.Tx) error {
		p, v, err := in.find(tx)
		if err != nil {
			return err
		}
		out.ParameterVersion = v.Number
		for _, label := range in.Labels {
			if !isLabel(label) {
				out.InvalidLabels = append(out.InvalidLabels, label)
				continue
			}
			for i := range p.Versions {
				p.Versions[i].Labels = slices.DeleteFunc(p.Versions[i].Labels, func(l string) bool { return l == label })
			}
			v.Labels = append(v.Labels, label)
		}
		if len(v.Labels) > labelsMost {
			return protocol.Refuse("ParameterVersionLabelLimitExceeded", "A parameter version can have maximum %d labels.", labelsMost)
		}
		return records.Save(tx, parametersTable, p.Name, p)
	})
}

// unlabelVersion takes labels away.
func (s *Parameters) unlabelVersion(c *protocol.Call) (any, error) {
	var in labelInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	out := struct{ RemovedLabels, InvalidLabels []string }{[]string{}, []string{}}
	return &out, s.records.Update(func(tx *records.Tx) error {
		p, v, err := in.find(tx)
		if err != nil {
			return err
		}
		for _, label := range in.Labels {
			if !slices.Contains(v.Labels, label) {
				out.InvalidLabels = append(out.InvalidLabels, label)
				continue
			}
			v.Labels = slices.DeleteFunc(v.Labels, func(l string) bool { return l == label })
			out.RemovedLabels = append(out.RemovedLabels, label)
		}
		return records.Save(tx, parametersTable, p.Name, p)
	})
}

// find reads the parameter, and the version in it: the last where none is named.
func (in labelInput) find(tx *records.Tx) (parameter, *version, error) {
	p, ok, err := records.Fetch[parameter](tx, parametersTable, in.Name)
	if err != nil || !ok {
		return p, nil, protocol.NotFound(err, protocol.Refuse("ParameterNotFound", "There is no parameter %s.", in.Name))
	}
	if in.ParameterVersion == nil {
		return p, &p.Versions[len(p.Versions)-1], nil
	}
	i := slices.IndexFunc(p.Versions, func(v version) bool { return v.Number == *in.ParameterVersion })
	if i < 0 {
		return p, nil, protocol.Refuse("ParameterVersionNotFound", "The parameter %s has no version %d.", in.Name, *in.ParameterVersion)
	}
	return p, &p.Versions[i], nil
}

// select finds the version that a number or a label names.
func (p parameter) selected(selector string) (version, bool) {
	n, err := strconv.ParseInt(selector, 10, 64)
	i := slices.IndexFunc(p.Versions, func(v version) bool {
		return err == nil && v.Number == n || err != nil && slices.Contains(v.Labels, selector)
	})
	if i < 0 {
		return version{}, false
	}
	return p.Versions[i], true
}
