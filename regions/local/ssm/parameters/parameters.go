// Package parameters is the part of ssm that keeps parameters: named values with versions, which documents refer to as
// {{ssm:name}}.
//
// It owns the table of records "ssm.parameters" (name → parameter with all its versions). A SecureString is kept as it is: the
// data folder is the region's own, and only the answer of a call without WithDecryption hides it.
//
//	parameters.go  records, Put, Get, GetParameters, Delete      list.go  by path, history, descriptions; their filters
//	labels.go      labels of versions
//
// What must always be true: a version's value never changes; a name has one type for good; a label names one version of its parameter,
// and the oldest version is not forgotten while it has one; an advanced parameter does not become a standard one.
// Facts: docs/protocol/runcommand.md, "{{ssm:name}} parameter-store references"; the SDK's types.
package parameters

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

const parametersTable = "ssm.parameters" // name

// Limits of parameters (the SDK's type PutParameterInput, Systems Manager quotas).
const (
	nameMost    = 1011
	levelsMost  = 15
	valueMost   = 4 << 10 // bytes of a standard parameter
	largeMost   = 8 << 10 // bytes of an advanced one
	versionMost = 100     // the oldest are forgotten
	namesMost   = 10      // of one GetParameters

	standard, advanced, intelligent = "Standard", "Advanced", "Intelligent-Tiering"
)

// parameter is the record of a parameter.
type parameter struct {
	Name           string
	Type           string // String, StringList, SecureString
	DataType       string
	Description    string `json:",omitempty"`
	AllowedPattern string `json:",omitempty"`
	Versions       []version
}

type version struct {
	Number  int64
	Value   string
	Changed time.Time
	Labels  []string `json:",omitempty"`
	Tier    string   `json:",omitempty"` // Advanced; empty: Standard

	Description    string `json:",omitempty"` // as they were then
	AllowedPattern string `json:",omitempty"`
}

func (v version) tier() string { return cmp.Or(v.Tier, standard) }

func (p parameter) latest() version { return p.Versions[len(p.Versions)-1] }

// Parameters are the parameters of a region.
type Parameters struct {
	region  string
	records *records.Store
	now     func() time.Time
}

// Open opens the parameters of a region; now is the region's time.
func Open(region string, store *records.Store, now func() time.Time) (*Parameters, error) {
	return &Parameters{region, store, now}, store.Prepare(parametersTable)
}

// Operations are the rows of ssm that concern parameters. Nodes read them: a document's references are theirs to resolve.
func (s *Parameters) Operations() protocol.Operations {
	return protocol.Operations{
		"PutParameter":            {Allow: protocol.Administrator, Run: s.putParameter},
		"GetParameter":            {Allow: protocol.NodeOrAdministrator, Run: s.getParameter},
		"GetParameters":           {Allow: protocol.NodeOrAdministrator, Run: s.getParameters},
		"GetParametersByPath":     {Allow: protocol.NodeOrAdministrator, Run: s.getParametersByPath},
		"GetParameterHistory":     {Allow: protocol.Administrator, Run: s.getParameterHistory},
		"DescribeParameters":      {Allow: protocol.Administrator, Run: s.describeParameters},
		"LabelParameterVersion":   {Allow: protocol.Administrator, Run: s.labelVersion},
		"UnlabelParameterVersion": {Allow: protocol.Administrator, Run: s.unlabelVersion},
		"DeleteParameter":         {Allow: protocol.Administrator, Run: s.deleteParameter},
		"DeleteParameters":        {Allow: protocol.Administrator, Run: s.deleteParameters},
	}
}

// shown is the SDK's type Parameter.
type shown struct {
	Name             string
	Type             string
	Value            string
	Version          int64
	Selector         string `json:",omitempty"` // ":3" or ":label" where one was asked for
	LastModifiedDate wire.Epoch
	ARN              string
	DataType         string
}

// hidden stands for the value of a SecureString that was not to be decrypted.
const hidden = "AQICAHencryptedByTheLocalRegion"

func (s *Parameters) shown(p parameter, v version, selector string, decrypt bool) shown {
	out := shown{Name: p.Name, Type: p.Type, Value: v.Value, Version: v.Number, Selector: selector,
		LastModifiedDate: wire.Epoch{Time: v.Changed}, DataType: p.DataType, ARN: s.arn(p)}
	if p.Type == "SecureString" && !decrypt {
		out.Value = hidden
	}
	return out
}

func (s *Parameters) arn(p parameter) string {
	return "arn:" + regions.Partition(s.region) + ":ssm:" + s.region + ":" + protocol.Account + ":parameter/" + strings.TrimPrefix(p.Name, "/")
}

// find reads a parameter and one of its versions: "name", "name:3", "name:label", or the same of an ARN. Errors: ParameterNotFound,
// ParameterVersionNotFound.
func find(tx *records.Tx, reference string) (p parameter, v version, selector string, err error) {
	if _, path, ok := strings.Cut(reference, ":parameter/"); ok && strings.HasPrefix(reference, "arn:") {
		reference = path
		if name, _, _ := strings.Cut(path, ":"); !records.Has(tx, parametersTable, name) {
			reference = "/" + path
		}
	}
	name, number, selected := strings.Cut(reference, ":")
	p, ok, err := records.Fetch[parameter](tx, parametersTable, name)
	if err != nil || !ok {
		return p, v, "", protocol.NotFound(err, protocol.Refuse("ParameterNotFound", "There is no parameter %s.", name))
	}
	if !selected {
		return p, p.latest(), "", nil
	}
	if v, ok = p.selected(number); !ok {
		return p, v, "", protocol.Refuse("ParameterVersionNotFound", "The parameter %s has no version %s.", name, number)
	}
	return p, v, ":" + number, nil
}

type putInput struct {
	Name, Value, Type, Description, AllowedPattern, DataType string
	Tier, Policies                                           string
	Overwrite                                                bool
	Tags                                                     []wire.Tag
}

func (in putInput) check() error {
	var k protocol.Check
	k.Required("name", in.Name)
	k.Required("value", in.Value)
	k.Length("name", in.Name, 1, nameMost)
	k.OneOf("type", in.Type, "String", "StringList", "SecureString")
	k.OneOf("dataType", in.DataType, "text")
	k.Length("allowedPattern", in.AllowedPattern, 0, 1024)
	k.Length("description", in.Description, 0, 1024)
	k.OneOf("tier", in.Tier, standard, advanced, intelligent)
	if in.Policies != "" && in.Policies != "[]" {
		k.Fail("policies", "'…'", "Member must be null: this region has no policies of parameters")
	}
	k.Form("name", in.Name, `^[a-zA-Z0-9_.\-/]+$`, func(s string) bool { return protocol.Only(s, "_.-/") })
	if len(in.Tags) > 0 {
		k.Fail("tags", "'…'", "Member must be null: this region keeps no tags of parameters")
	}
	if err := k.Err(); err != nil {
		return err
	}
	if first := strings.ToLower(strings.Trim(in.Name, "/")); strings.HasPrefix(first, "aws") || strings.HasPrefix(first, "ssm") {
		return protocol.Refuse("ValidationException", "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).")
	}
	switch levels := strings.Count(in.Name, "/"); {
	case levels > 0 && in.Name[0] != '/':
		return protocol.Refuse("ValidationException", "Parameter name must be a fully qualified name.")
	case levels > levelsMost:
		return protocol.Refuse("HierarchyLevelLimitExceededException", "A parameter hierarchy can have a maximum of %d levels.", levelsMost)
	}
	return nil
}

func (s *Parameters) putParameter(c *protocol.Call) (any, error) {
	var in putInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	out := struct {
		Version int64
		Tier    string
	}{}
	return &out, s.records.Update(func(tx *records.Tx) error {
		p, there, err := records.Fetch[parameter](tx, parametersTable, in.Name)
		switch {
		case err != nil:
			return err
		case there && !in.Overwrite:
			return protocol.Refuse("ParameterAlreadyExists",
				"The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
		case there && in.Type != "" && in.Type != p.Type:
			return protocol.Refuse("HierarchyTypeMismatchException", "The parameter %s is of type %s, which can't be changed.", in.Name, p.Type)
		case !there && in.Type == "":
			return protocol.Refuse("ValidationException", "A parameter type is required when you create a parameter.")
		case !there:
			p = parameter{Name: in.Name, Type: in.Type, Versions: []version{{}}}
		}
		p.DataType, p.Description = "text", cmp.Or(in.Description, p.Description)
		p.AllowedPattern = cmp.Or(in.AllowedPattern, p.AllowedPattern)
		if err := p.allows(in.Value); err != nil {
			return err
		}
		v := version{Number: p.latest().Number + 1, Value: in.Value, Changed: s.now(), Description: p.Description,
			AllowedPattern: p.AllowedPattern}
		if v.Tier, err = in.tier(p.latest().tier()); err != nil {
			return err
		}
		out.Version, out.Tier = v.Number, v.tier()
		p.Versions = slices.DeleteFunc(append(p.Versions, v), func(v version) bool { return v.Number == 0 })
		if len(p.Versions) > versionMost {
			if oldest := p.Versions[0]; len(oldest.Labels) > 0 {
				return protocol.Refuse("ParameterMaxVersionLimitExceeded",
					"The oldest version %d of %s has labels: move them to another version before you create one more.", oldest.Number, p.Name)
			}
			p.Versions = p.Versions[1:]
		}
		return records.Save(tx, parametersTable, p.Name, p)
	})
}

// tier is the tier that a new version gets, "" for Standard. An advanced parameter stays one.
func (in putInput) tier(had string) (string, error) {
	large := len(in.Value) > valueMost
	switch want := cmp.Or(in.Tier, had); {
	case in.Tier == standard && had == advanced:
		return "", protocol.Refuse("ValidationException", "This parameter uses the advanced-parameter tier. You can't downgrade a parameter "+
			"from the advanced-parameter tier to the standard-parameter tier.")
	case want == standard && large:
		return "", protocol.Refuse("ValidationException", "Standard tier parameters support a maximum parameter value of %d characters. "+
			"To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.", valueMost)
	case len(in.Value) > largeMost:
		return "", protocol.Refuse("ValidationException", "Advanced tier parameters support a maximum parameter value of %d characters.", largeMost)
	case want == advanced, want == intelligent && (large || had == advanced):
		return advanced, nil
	}
	return "", nil
}

func (p parameter) allows(value string) error {
	pattern, err := regexp.Compile(p.AllowedPattern)
	if err != nil {
		return protocol.Refuse("InvalidAllowedPatternException", "The allowed pattern can't be compiled: %v.", err)
	}
	if !pattern.MatchString(value) {
		return protocol.Refuse("ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: %s",
			p.AllowedPattern)
	}
	return nil
}

func (s *Parameters) getParameter(c *protocol.Call) (any, error) {
	var in struct {
		Name           string
		WithDecryption bool
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var k protocol.Check
	k.Required("name", in.Name)
	if err := k.Err(); err != nil {
		return nil, err
	}
	var out struct{ Parameter shown }
	return &out, s.records.View(func(tx *records.Tx) error {
		p, v, selector, err := find(tx, in.Name)
		if err == nil {
			out.Parameter = s.shown(p, v, selector, in.WithDecryption)
		}
		return err
	})
}

func (s *Parameters) getParameters(c *protocol.Call) (any, error) {
	var in struct {
		Names          []string
		WithDecryption bool
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	out := struct {
		Parameters        []shown
		InvalidParameters []string
	}{[]shown{}, []string{}}
	return &out, s.records.View(func(tx *records.Tx) error {
		for _, name := range in.Names {
			p, v, selector, err := find(tx, name)
			switch {
			case err == nil:
				out.Parameters = append(out.Parameters, s.shown(p, v, selector, in.WithDecryption))
			case isRefusal(err):
				out.InvalidParameters = append(out.InvalidParameters, name)
			default:
				return err
			}
		}
		return nil
	})
}

func (s *Parameters) deleteParameter(c *protocol.Call) (any, error) {
	var in struct{ Name string }
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return struct{}{}, s.records.Update(func(tx *records.Tx) error {
		if !records.Has(tx, parametersTable, in.Name) {
			return protocol.Refuse("ParameterNotFound", "There is no parameter %s.", in.Name)
		}
		return records.Remove(tx, parametersTable, in.Name)
	})
}

func (s *Parameters) deleteParameters(c *protocol.Call) (any, error) {
	var in struct{ Names []string }
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	out := struct{ DeletedParameters, InvalidParameters []string }{[]string{}, []string{}}
	return &out, s.records.Update(func(tx *records.Tx) error {
		for _, name := range in.Names {
			if !records.Has(tx, parametersTable, name) {
				out.InvalidParameters = append(out.InvalidParameters, name)
				continue
			}
			if err := records.Remove(tx, parametersTable, name); err != nil {
				return err
			}
			out.DeletedParameters = append(out.DeletedParameters, name)
		}
		return nil
	})
}

func checkNames(names []string) error {
	var k protocol.Check
	if len(names) == 0 {
		k.Fail("names", "null", "Member must not be null")
	}
	k.Most("names", len(names), namesMost)
	return k.Err()
}

// isRefusal tells what a name deserves from the region's own failure.
func isRefusal(err error) bool {
	var f protocol.Fault
	return errors.As(err, &f)
}
