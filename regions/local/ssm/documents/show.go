package documents

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// documentShown is the SDK's type DocumentDescription.
type documentShown struct {
	Hash            string
	HashType        string
	Name            string
	DisplayName     string `json:",omitempty"`
	VersionName     string `json:",omitempty"`
	Owner           string
	CreatedDate     wire.Epoch
	Status          string
	DocumentVersion string
	Description     string           `json:",omitempty"`
	Parameters      []parameterShown `json:",omitempty"`
	PlatformTypes   []string
	DocumentType    string
	SchemaVersion   string `json:",omitempty"`
	LatestVersion   string
	DefaultVersion  string
	DocumentFormat  string
	TargetType      string `json:",omitempty"`
	Tags            []wire.Tag
	Requires        []requirement `json:",omitempty"`
}

// parameterShown is the SDK's type DocumentParameter. What isn't text is shown as JSON.
type parameterShown struct {
	Name         string
	Type         string
	Description  string  `json:",omitempty"`
	DefaultValue *string `json:",omitempty"`
}

func (r *Repository) describe(d document, v documentVersion) (documentShown, error) {
	c, err := readContent(v.Content, v.Format, d.Type)
	if err != nil {
		return documentShown{}, err
	}
	s := documentShown{Hash: v.sha256(), HashType: "Sha256", Name: d.Name, DisplayName: v.DisplayName, VersionName: v.VersionName,
		Owner: d.owner(), CreatedDate: wire.Epoch{Time: v.Created}, Status: "Active", DocumentVersion: strconv.Itoa(v.Number),
		Description: c.description, PlatformTypes: orNone(c.Platforms), DocumentType: d.Type, SchemaVersion: c.schema,
		LatestVersion: strconv.Itoa(d.latest().Number), DefaultVersion: strconv.Itoa(d.Default), DocumentFormat: v.Format,
		TargetType: d.TargetType, Tags: orNone(d.Tags), Requires: d.Requires}
	for _, p := range c.parameters {
		s.Parameters = append(s.Parameters, parameterShown{p.name, p.Type, p.Description, textOf(p.Default)})
	}
	return s, nil
}

// orNone turns no list into an empty one.
func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func textOf(value any) *string {
	if value == nil {
		return nil
	}
	text, ok := value.(string)
	if !ok {
		raw, _ := json.Marshal(value) // it came out of JSON
		text = string(raw)
	}
	return &text
}

// named reads the document and version that a request names.
func (r *Repository) named(in documentInput) (d document, v documentVersion, err error) {
	var k protocol.Check
	k.Required("name", in.Name)
	k.Form("name", in.Name, `^[a-zA-Z0-9_\-.:/]{3,128}$`, IsReference)
	k.Form("documentVersion", in.DocumentVersion, `([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)`, IsVersion)
	k.OneOf("documentFormat", in.DocumentFormat, "YAML", "JSON", "TEXT")
	if err := k.Err(); err != nil {
		return d, v, err
	}
	err = r.records.View(func(tx *records.Tx) error {
		var inARN string
		if d, inARN, err = r.document(tx, in.Name); err != nil {
			return err
		}
		v, err = d.version(cmp.Or(in.DocumentVersion, inARN), in.VersionName)
		return err
	})
	return d, v, err
}

func (r *Repository) describeDocument(c *protocol.Call) (any, error) {
	var in documentInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	d, v, err := r.named(in)
	if err != nil {
		return nil, err
	}
	shown, err := r.describe(d, v)
	return struct{ Document documentShown }{shown}, err
}

func (r *Repository) getDocument(c *protocol.Call) (any, error) {
	var in documentInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	d, v, err := r.named(in)
	if err != nil {
		return nil, err
	}
	text, format, err := v.as(in.DocumentFormat)
	return struct {
		Name            string
		CreatedDate     wire.Epoch
		DisplayName     string `json:",omitempty"`
		VersionName     string `json:",omitempty"`
		DocumentVersion string
		Status          string
		Content         string
		DocumentType    string
		DocumentFormat  string
		Requires        []requirement `json:",omitempty"`
	}{d.Name, wire.Epoch{Time: v.Created}, v.DisplayName, v.VersionName, strconv.Itoa(v.Number), "Active", text, d.Type, format,
		d.Requires}, err
}

// as gives the text in a format; without one, JSON, as the services do, and TEXT stays what it is.
func (v documentVersion) as(format string) (text, as string, err error) {
	format = cmp.Or(format, "JSON")
	if v.Format == format || v.Format == "TEXT" || format == "TEXT" {
		return v.Content, v.Format, nil
	}
	if format == "YAML" {
		text, err = yamlOf(v.Content)
		return text, format, err
	}
	c, err := readContent(v.Content, v.Format, "")
	return string(c.JSON), format, err
}

// versionShown is the SDK's type DocumentVersionInfo.
type versionShown struct {
	Name             string
	DisplayName      string `json:",omitempty"`
	DocumentVersion  string
	VersionName      string `json:",omitempty"`
	CreatedDate      wire.Epoch
	IsDefaultVersion bool
	DocumentFormat   string
	Status           string
}

func (r *Repository) listDocumentVersions(c *protocol.Call) (any, error) {
	var in struct {
		Name string
		protocol.Paging
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var k protocol.Check
	k.Number("maxResults", in.MaxResults, 1, 50)
	if err := k.Err(); err != nil {
		return nil, err
	}
	d, _, err := r.named(documentInput{Name: in.Name})
	if err != nil {
		return nil, err
	}
	all := make([]protocol.Keyed[versionShown], len(d.Versions))
	for i, v := range d.Versions {
		// The newest comes first.
		all[len(all)-1-i] = protocol.Keyed[versionShown]{Key: records.NewestFirst(int64(v.Number)), Item: versionShown{Name: d.Name,
			DisplayName: v.DisplayName, DocumentVersion: strconv.Itoa(v.Number), VersionName: v.VersionName,
			CreatedDate: wire.Epoch{Time: v.Created}, IsDefaultVersion: v.Number == d.Default, DocumentFormat: v.Format, Status: "Active"}}
	}
	some, next, err := protocol.CutKeyed(in.Paging, all, 50)
	return struct {
		DocumentVersions []versionShown
		NextToken        string `json:",omitempty"`
	}{some, next}, err
}

// identifierShown is the SDK's type DocumentIdentifier.
type identifierShown struct {
	Name            string
	CreatedDate     wire.Epoch
	DisplayName     string `json:",omitempty"`
	Owner           string
	VersionName     string `json:",omitempty"`
	PlatformTypes   []string
	DocumentVersion string
	DocumentType    string
	SchemaVersion   string `json:",omitempty"`
	DocumentFormat  string
	TargetType      string `json:",omitempty"`
	Tags            []wire.Tag
	Requires        []requirement `json:",omitempty"`
}

func (r *Repository) listDocuments(c *protocol.Call) (any, error) {
	var in documentList
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	all, err := r.documents(in)
	if err != nil {
		return nil, err
	}
	some, next, err := protocol.Cut(in.Paging, all, 50, func(d identifierShown) string { return d.Name })
	return struct {
		DocumentIdentifiers []identifierShown
		NextToken           string `json:",omitempty"`
	}{some, next}, err
}

// documents are all that pass, built in or not, by name.
func (r *Repository) documents(in documentList) (all []identifierShown, err error) {
	var found []document
	for _, name := range builtIns() {
		d, _ := r.builtIn(name)
		found = append(found, d)
	}
	err = r.records.View(func(tx *records.Tx) error {
		return records.Each(tx, documentsTable, "", func(_ string, d document) bool { found = append(found, d); return false })
	})
	for _, d := range found {
		v, verr := d.version("", "")
		if verr != nil {
			return nil, verr
		}
		s, derr := r.describe(d, v)
		if derr != nil {
			return nil, derr
		}
		if in.passes(s, d) {
			all = append(all, identifierShown{s.Name, s.CreatedDate, s.DisplayName, s.Owner, s.VersionName, s.PlatformTypes,
				s.DocumentVersion, s.DocumentType, s.SchemaVersion, s.DocumentFormat, s.TargetType, s.Tags, s.Requires})
		}
	}
	slices.SortFunc(all, func(a, b identifierShown) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}
