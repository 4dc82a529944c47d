package console

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// documentRow is the SDK's type DocumentIdentifier, as far as it is shown.
type documentRow struct {
	Name, Owner, DocumentType, DocumentVersion, DocumentFormat string
	PlatformTypes                                              []string
	CreatedDate                                                wire.Epoch
}

// documents are all documents of the region.
func (c *Console) documents(r *request) (all []documentRow, err error) {
	in := map[string]any{"MaxResults": 50}
	for {
		var out struct {
			DocumentIdentifiers []documentRow
			NextToken           string
		}
		if err := c.region.Ask(r.ctx, "ListDocuments", in, &out); err != nil {
			return nil, err
		}
		all = append(all, out.DocumentIdentifiers...)
		if out.NextToken == "" {
			return all, nil
		}
		in["NextToken"] = out.NextToken
	}
}

func (c *Console) documentsPage(r *request) (any, error) { return c.documents(r) }

// documentVersion is one version of a document.
type documentVersion struct {
	DocumentVersion  string
	CreatedDate      wire.Epoch
	IsDefaultVersion bool
	DocumentFormat   string
}

// documentView is one document: the text of a version, and what changed since another.
type documentView struct {
	Name     string
	Own      bool // it may be changed
	Versions []documentVersion
	Version  string // whose text is shown
	Text     string
	Since    string // the version it is compared with; empty: none
	Changes  []diffLine
	Same     bool // there is nothing that changed
}

// diffLine is one line of a comparison: kind is add, gone, place or same.
type diffLine struct{ Kind, Text string }

func (c *Console) documentPage(r *request) (any, error) {
	v := documentView{Name: r.arg, Version: r.form.Get("version"), Since: r.form.Get("since"), Own: !strings.HasPrefix(r.arg, "AWS-")}
	var list struct{ DocumentVersions []documentVersion }
	if err := c.region.Ask(r.ctx, "ListDocumentVersions", map[string]any{"Name": v.Name}, &list); err != nil {
		return nil, err
	}
	v.Versions = list.DocumentVersions
	for _, d := range v.Versions {
		if v.Version == "" && d.IsDefaultVersion {
			v.Version = d.DocumentVersion
		}
	}
	var err error
	if v.Text, err = c.documentText(r, v.Name, v.Version); err != nil || v.Since == "" {
		return v, err
	}
	before, err := c.documentText(r, v.Name, v.Since)
	if err != nil {
		return nil, err
	}
	v.Changes = compare("version "+v.Since, before, "version "+v.Version, v.Text)
	v.Same = len(v.Changes) == 0
	return v, nil
}

// documentText is the text of a version, with every member of JSON on a line of its own.
func (c *Console) documentText(r *request, name, version string) (string, error) {
	var out struct{ Content, DocumentFormat string }
	in := map[string]any{"Name": name, "DocumentVersion": version}
	if version == "" {
		delete(in, "DocumentVersion")
	}
	if err := c.region.Ask(r.ctx, "GetDocument", in, &out); err != nil {
		return "", err
	}
	var b bytes.Buffer
	if out.DocumentFormat == "JSON" && json.Indent(&b, []byte(out.Content), "", "  ") == nil {
		return b.String(), nil
	}
	return out.Content, nil
}

// compare are the lines in which two texts differ, with some around them; none where they are the same.
func compare(nameA, a, nameB, b string) (lines []diffLine) {
	text := diff.Diff(nameA, []byte(a+"\n"), nameB, []byte(b+"\n"))
	for i, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		switch {
		case line == "" || i == 0: // its own first line names a program
		case i < 3, line[0] == '@':
			lines = append(lines, diffLine{"place", line})
		case line[0] == '+':
			lines = append(lines, diffLine{"add", line})
		case line[0] == '-':
			lines = append(lines, diffLine{"gone", line})
		default:
			lines = append(lines, diffLine{"same", line})
		}
	}
	return lines
}

// editView is the form that writes a document.
type editView struct {
	Name, Text string
	Exists     bool
	Checked    *local.DocumentContent // what a validated text says
	Changes    []diffLine             // against the default version
}

// firstText is what a new document begins with.
const firstText = `schemaVersion: "2.2"
description: Says hello.
parameters:
  name:
    type: String
    description: Whom to greet.
    default: world
mainSteps:
- action: aws:runShellScript
  name: hello
  inputs:
    runCommand:
    - echo "hello {{ name }}"
`

func (c *Console) editPage(r *request) (any, error) {
	v := &editView{Name: r.arg, Text: firstText}
	if v.Name == "" {
		return v, nil
	}
	text, err := c.documentText(r, v.Name, "")
	v.Text, v.Exists = text, err == nil
	return v, err
}

// saveDocument validates a text, and keeps it as the document's new default version where that is asked for.
func (c *Console) saveDocument(r *request) (string, any, error) {
	v := &editView{Name: strings.TrimSpace(r.form.Get("name")), Text: strings.ReplaceAll(r.form.Get("text"), "\r\n", "\n"),
		Exists: r.arg != ""}
	if v.Exists {
		v.Name = r.arg
	}
	content, err := c.region.CheckDocument(v.Text)
	if err != nil {
		return "", v, err
	}
	v.Checked = &content
	if v.Name != "" {
		if before, err := c.documentText(r, v.Name, ""); err == nil {
			v.Changes = compare("the default version", before, "this text", v.Text)
		}
	}
	if r.form.Get("do") != "save" {
		return "", v, nil
	}
	if err := c.region.PutDocument(v.Name, v.Text); err != nil {
		return "", v, err
	}
	return "document/" + v.Name, nil, nil
}
