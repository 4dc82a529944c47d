package documents

import (
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// documentList is what ListDocuments takes: filters of the old kind and of the new one.
type documentList struct {
	DocumentFilterList []struct{ Key, Value string }
	Filters            []documentFilter
	protocol.Paging
}

type documentFilter struct {
	Key    string
	Values []string
}

func (in *documentList) check() error {
	var k protocol.Check
	k.Number("maxResults", in.MaxResults, 1, 50)
	k.Most("filters", len(in.Filters), 6)
	for _, f := range in.DocumentFilterList {
		k.OneOf("documentFilterList.member.key", f.Key, "Name", "Owner", "PlatformTypes", "DocumentType")
		in.Filters = append(in.Filters, documentFilter{f.Key, []string{f.Value}})
	}
	if err := k.Err(); err != nil {
		return err
	}
	for _, f := range in.Filters {
		if !slices.Contains([]string{"Name", "Owner", "PlatformTypes", "DocumentType", "TargetType", "SearchKeyword", "tag-key"}, f.Key) &&
			!strings.HasPrefix(f.Key, "tag:") {
			return protocol.Refuse("InvalidFilterKey", "The filter key %q isn't valid.", f.Key)
		}
	}
	return nil
}

func (in documentList) passes(s documentShown, d document) bool {
	return !slices.ContainsFunc(in.Filters, func(f documentFilter) bool { return !f.matches(s, d) })
}

// matches tells whether one of the values fits. Names match by their beginning, keywords anywhere in a name.
func (f documentFilter) matches(s documentShown, d document) bool {
	any := func(fits func(value string) bool) bool { return slices.ContainsFunc(f.Values, fits) }
	tagged := func(key, value string, anyValue bool) bool {
		for _, t := range d.Tags {
			if t.Key == key && (anyValue || t.Value == value) {
				return true
			}
		}
		return false
	}
	switch f.Key {
	case "Name":
		return any(func(v string) bool { return strings.HasPrefix(s.Name, v) })
	case "SearchKeyword":
		return any(func(v string) bool { return strings.Contains(strings.ToLower(s.Name), strings.ToLower(v)) })
	case "Owner":
		return any(func(v string) bool {
			switch v {
			case "All":
				return true
			case "Self", "Private":
				return !d.builtIn
			case "Amazon", "Public":
				return d.builtIn
			}
			return v == s.Owner
		})
	case "PlatformTypes":
		return any(func(v string) bool { return slices.Contains(s.PlatformTypes, v) })
	case "DocumentType":
		return any(func(v string) bool { return v == s.DocumentType })
	case "TargetType":
		return any(func(v string) bool { return v == s.TargetType })
	case "tag-key":
		return any(func(v string) bool { return tagged(v, "", true) })
	}
	return any(func(v string) bool { return tagged(strings.TrimPrefix(f.Key, "tag:"), v, false) })
}
