package parameters

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// filter is the SDK's type ParameterStringFilter.
type filter struct {
	Key, Option string
	Values      []string
}

func checkFilters(filters []filter, keys ...string) error {
	for _, f := range filters {
		if !slices.Contains(keys, f.Key) {
			return protocol.Refuse("InvalidFilterKey", "The filter key %s isn't valid: this region knows %s.", f.Key, strings.Join(keys, ", "))
		}
		options := []string{"", "Equals", "BeginsWith"}
		switch f.Key {
		case "Name":
			options = append(options, "Contains")
		case "Path":
			options = []string{"", "Recursive", "OneLevel"}
		}
		if !slices.Contains(options, f.Option) {
			return protocol.Refuse("InvalidFilterOption", "The filter option %s isn't valid for %s.", f.Option, f.Key)
		}
		if len(f.Values) == 0 || len(f.Values) > 50 {
			return protocol.Refuse("InvalidFilterValue", "A filter has 1 to 50 values.")
		}
	}
	return nil
}

// passes tells whether a parameter passes a filter: one of its values.
func (f filter) passes(p parameter, v version) bool {
	return slices.ContainsFunc(f.Values, func(want string) bool {
		switch f.Key {
		case "Path":
			return below(p.Name, want, f.Option == "Recursive")
		case "Label":
			return slices.Contains(v.Labels, want)
		}
		got := map[string]string{"Name": p.Name, "Type": p.Type, "Tier": v.tier(), "DataType": p.DataType}[f.Key]
		if f.Key == "Name" { // with or without the first slash
			got, want = strings.TrimPrefix(got, "/"), strings.TrimPrefix(want, "/")
		}
		switch f.Option {
		case "BeginsWith":
			return strings.HasPrefix(got, want)
		case "Contains":
			return strings.Contains(got, want)
		}
		return got == want
	})
}

// below tells whether a name lies below a path: directly, or anywhere.
func below(name, path string, recursive bool) bool {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(path, "/")+"/")
	return ok && rest != "" && (recursive || !strings.Contains(rest, "/"))
}

func passesAll(filters []filter, p parameter, v version) bool {
	return !slices.ContainsFunc(filters, func(f filter) bool { return !f.passes(p, v) })
}

func (s *Parameters) getParametersByPath(c *protocol.Call) (any, error) {
	var in struct {
		protocol.Paging
		Path                      string
		Recursive, WithDecryption bool
		ParameterFilters          []filter
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var k protocol.Check
	k.Required("path", in.Path)
	k.Length("path", in.Path, 1, nameMost)
	k.Form("path", in.Path, `^/[a-zA-Z0-9_.\-/]*$`, func(p string) bool { return p[0] == '/' && protocol.Only(p, "_.-/") })
	k.Number("maxResults", in.MaxResults, 1, namesMost)
	err := k.Err()
	if err == nil {
		err = checkFilters(in.ParameterFilters, "Type", "Label")
	}
	if err != nil {
		return nil, err
	}
	all := []shown{}
	err = s.each(func(p parameter) {
		v := p.latest()
		if label := slices.IndexFunc(in.ParameterFilters, func(f filter) bool { return f.Key == "Label" }); label >= 0 {
			for _, l := range in.ParameterFilters[label].Values { // the version that has the label
				if labelled, ok := p.selected(l); ok {
					v = labelled
				}
			}
		}
		if below(p.Name, in.Path, in.Recursive) && passesAll(in.ParameterFilters, p, v) {
			all = append(all, s.shown(p, v, "", in.WithDecryption))
		}
	})
	if err != nil {
		return nil, err
	}
	var out struct {
		Parameters []shown
		NextToken  string `json:",omitempty"`
	}
	out.Parameters, out.NextToken, err = protocol.Cut(in.Paging, all, namesMost, func(p shown) string { return p.Name })
	return out, err
}

// each hands every parameter to do, by name.
func (s *Parameters) each(do func(parameter)) error {
	return s.records.View(func(tx *records.Tx) error {
		return records.Each(tx, parametersTable, "", func(_ string, p parameter) bool { do(p); return false })
	})
}

// described is the SDK's types ParameterMetadata and ParameterHistory; a member that a type does not have is left out.
type described struct {
	Name             string
	ARN              string `json:",omitempty"`
	Type             string
	KeyId            string `json:",omitempty"`
	LastModifiedDate wire.Epoch
	LastModifiedUser string
	Description      string `json:",omitempty"`
	Value            string `json:",omitempty"`
	AllowedPattern   string `json:",omitempty"`
	Version          int64
	Labels           []string `json:",omitempty"`
	Tier             string
	Policies         []struct{}
	DataType         string
}

func (s *Parameters) described(p parameter, v version) described {
	d := described{Name: p.Name, Type: p.Type, LastModifiedDate: wire.Epoch{Time: v.Changed}, LastModifiedUser: "arn:aws:iam::" +
		protocol.Account + ":user/administrator", Description: p.Description, AllowedPattern: p.AllowedPattern, Version: v.Number,
		Tier: v.tier(), Policies: []struct{}{}, DataType: p.DataType}
	if p.Type == "SecureString" {
		d.KeyId = "alias/aws/ssm"
	}
	return d
}

func (s *Parameters) describeParameters(c *protocol.Call) (any, error) {
	var in struct {
		protocol.Paging
		Filters          []filter
		ParameterFilters []filter
		Shared           bool
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var k protocol.Check
	k.Number("maxResults", in.MaxResults, 1, 50)
	err := k.Err()
	if err == nil && len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		err = protocol.Refuse("ValidationException", "You can use either Filters or ParameterFilters in a single request.")
	}
	for i := range in.Filters { // the older kind of filter compares beginnings of names
		if in.Filters[i].Key == "Name" {
			in.Filters[i].Option = "BeginsWith"
		}
	}
	in.ParameterFilters = append(in.ParameterFilters, in.Filters...)
	if err == nil {
		err = checkFilters(in.ParameterFilters, "Name", "Type", "Path", "Tier", "DataType")
	}
	if err != nil {
		return nil, err
	}
	all := []described{}
	err = s.each(func(p parameter) {
		if !in.Shared && passesAll(in.ParameterFilters, p, p.latest()) {
			d := s.described(p, p.latest())
			d.ARN = s.arn(p)
			all = append(all, d)
		}
	})
	if err != nil {
		return nil, err
	}
	var out struct {
		Parameters []described
		NextToken  string `json:",omitempty"`
	}
	out.Parameters, out.NextToken, err = protocol.Cut(in.Paging, all, 50, func(d described) string { return d.Name })
	return out, err
}

func (s *Parameters) getParameterHistory(c *protocol.Call) (any, error) {
	var in struct {
		protocol.Paging
		Name           string
		WithDecryption bool
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var k protocol.Check
	k.Required("name", in.Name)
	k.Number("maxResults", in.MaxResults, 1, 50)
	if err := k.Err(); err != nil {
		return nil, err
	}
	var all []described
	err := s.records.View(func(tx *records.Tx) error {
		p, _, _, err := find(tx, in.Name)
		for _, v := range p.Versions {
			d := s.described(p, v)
			d.Value = s.shown(p, v, "", in.WithDecryption).Value
			d.Labels, d.Description, d.AllowedPattern = v.Labels, cmp.Or(v.Description, p.Description), cmp.Or(v.AllowedPattern, p.AllowedPattern)
			all = append(all, d)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out struct {
		Parameters []described
		NextToken  string `json:",omitempty"`
	}
	out.Parameters, out.NextToken, err = protocol.Cut(in.Paging, all, 50, func(d described) string { return fmt.Sprintf("%012d", d.Version) })
	return out, err
}
