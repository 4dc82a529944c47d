package documents

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

type documentInput struct {
	Name            string
	Content         string
	DocumentType    string
	DocumentFormat  string
	DocumentVersion string
	VersionName     string
	DisplayName     string
	TargetType      string
	Force           bool
	Requires        []requirement
	Attachments     []struct{}
	Tags            []wire.Tag
}

func (in documentInput) check() error {
	var k protocol.Check
	k.Required("name", in.Name)
	k.Required("content", in.Content)
	k.Form("name", in.Name, `^[a-zA-Z0-9_\-.]{3,128}$`, isDocumentName)
	k.Form("versionName", in.VersionName, `^[a-zA-Z0-9_\-.]{1,128}$`, func(s string) bool { return len(s) <= 128 && protocol.Only(s, "_-.") })
	k.Length("displayName", in.DisplayName, 0, 1024)
	k.Length("targetType", in.TargetType, 0, 200)
	k.Form("targetType", in.TargetType, `^\/[\w\.\-\:\/]*$`, func(s string) bool { return s[0] == '/' && protocol.Only(s, "_.-:/") })
	k.OneOf("documentType", in.DocumentType, "Command", "Policy", "Automation", "Session", "Package", "ApplicationConfiguration",
		"ApplicationConfigurationSchema", "DeploymentStrategy", "ChangeCalendar", "Automation.ChangeTemplate", "ProblemAnalysis",
		"ProblemAnalysisTemplate", "CloudFormation", "ConformancePackTemplate", "QuickSetup")
	k.OneOf("documentFormat", in.DocumentFormat, "YAML", "JSON", "TEXT")
	k.Tags("tags", in.Tags)
	if len(in.Attachments) > 0 {
		k.Fail("attachments", "'…'", "Member must be null: this region keeps no attachments")
	}
	if err := k.Err(); err != nil {
		return err
	}
	if len(in.Content) > documentBytes {
		return protocol.Refuse("MaxDocumentSizeExceeded", "A document has at most %d bytes; this one has %d.", documentBytes, len(in.Content))
	}
	return nil
}

func (r *Repository) createDocument(c *protocol.Call) (any, error) {
	var in documentInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	d, err := r.addDocument(in)
	if err != nil {
		return nil, err
	}
	shown, err := r.describe(d, d.Versions[0])
	return struct{ DocumentDescription documentShown }{shown}, err
}

func (r *Repository) addDocument(in documentInput) (document, error) {
	in.DocumentType, in.DocumentFormat = cmp.Or(in.DocumentType, "Command"), cmp.Or(in.DocumentFormat, "JSON")
	if err := in.check(); err != nil {
		return document{}, err
	}
	if lower := strings.ToLower(in.Name); strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "amazon") ||
		strings.HasPrefix(lower, "amzn") {
		if slices.Contains(builtIns(), in.Name) {
			return document{}, protocol.Refuse("DocumentAlreadyExists", "The document %s already exists.", in.Name)
		}
		return document{}, protocol.Refuse("ValidationException", "The name of a document must not begin with aws, amazon or amzn.")
	}
	if _, err := readContent(in.Content, in.DocumentFormat, in.DocumentType); err != nil {
		return document{}, err
	}
	d := document{Name: in.Name, Type: in.DocumentType, TargetType: in.TargetType, Tags: in.Tags, Requires: in.Requires, Default: 1, Next: 2,
		Versions: []documentVersion{{Number: 1, VersionName: in.VersionName, DisplayName: in.DisplayName, Format: in.DocumentFormat,
			Content: in.Content, Created: r.now()}}}
	return d, r.records.Update(func(tx *records.Tx) error {
		if _, ok, err := records.Fetch[document](tx, documentsTable, in.Name); err != nil || ok {
			return protocol.NotFound(err, protocol.Refuse("DocumentAlreadyExists", "The document %s already exists.", in.Name))
		}
		if records.Count(tx, documentsTable) >= documentsMost {
			return protocol.Refuse("DocumentLimitExceeded", "An account has at most %d documents.", documentsMost)
		}
		return records.Save(tx, documentsTable, d.Name, d)
	})
}

// ownDocument reads a document that may be changed.
func ownDocument(tx *records.Tx, name string) (document, error) {
	if slices.Contains(builtIns(), name) {
		return document{}, protocol.Refuse("InvalidDocumentOperation", "%s belongs to the region and can't be changed.", name)
	}
	d, ok, err := records.Fetch[document](tx, documentsTable, name)
	if err != nil || !ok {
		return d, protocol.NotFound(err, protocol.Refuse("InvalidDocument", "There is no document %s.", name))
	}
	return d, nil
}

func (r *Repository) updateDocument(c *protocol.Call) (any, error) {
	var in documentInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	d, err := r.addVersion(in)
	if err != nil {
		return nil, err
	}
	shown, err := r.describe(d, d.latest())
	return struct{ DocumentDescription documentShown }{shown}, err
}

// addVersion makes a new latest version out of the one named, by default the default one.
func (r *Repository) addVersion(in documentInput) (d document, err error) {
	in.DocumentType = ""
	if err := in.check(); err != nil {
		return d, err
	}
	err = r.records.Update(func(tx *records.Tx) error {
		if d, err = ownDocument(tx, in.Name); err != nil {
			return err
		}
		from, err := d.version(in.DocumentVersion, "")
		if err != nil {
			return err
		}
		v := documentVersion{Number: d.Next, VersionName: in.VersionName, DisplayName: cmp.Or(in.DisplayName, from.DisplayName),
			Format: cmp.Or(in.DocumentFormat, "JSON"), Content: in.Content, Created: r.now()}
		if err := d.admits(v); err != nil {
			return err
		}
		d.Versions, d.Next, d.TargetType = append(d.Versions, v), d.Next+1, cmp.Or(in.TargetType, d.TargetType)
		return records.Save(tx, documentsTable, d.Name, d)
	})
	return d, err
}

// admits checks a new version against those there are.
func (d document) admits(v documentVersion) error {
	for _, old := range d.Versions {
		if old.sha256() == v.sha256() {
			return protocol.Refuse("DuplicateDocumentContent", "The content is that of version %d.", old.Number)
		}
		if v.VersionName != "" && old.VersionName == v.VersionName {
			return protocol.Refuse("DuplicateDocumentVersionName", "The version name %s is that of version %d.", v.VersionName, old.Number)
		}
	}
	if len(d.Versions) >= documentVersions {
		return protocol.Refuse("DocumentVersionLimitExceeded", "A document has at most %d versions.", documentVersions)
	}
	_, err := readContent(v.Content, v.Format, d.Type)
	return err
}

func (r *Repository) updateDocumentDefaultVersion(c *protocol.Call) (any, error) {
	var in documentInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if !isDocumentNumber(in.DocumentVersion) {
		return nil, protocol.Refuse("InvalidDocumentVersion", "The default version must be given by its number, not as %q.", in.DocumentVersion)
	}
	var out struct{ Description defaultShown }
	err := r.records.Update(func(tx *records.Tx) error {
		d, err := ownDocument(tx, in.Name)
		if err != nil {
			return err
		}
		v, err := d.version(in.DocumentVersion, "")
		if err != nil {
			return err
		}
		d.Default = v.Number
		out.Description = defaultShown{d.Name, strconv.Itoa(v.Number), v.VersionName}
		return records.Save(tx, documentsTable, d.Name, d)
	})
	return out, err
}

// defaultShown is the SDK's type DocumentDefaultVersionDescription.
type defaultShown struct {
	Name               string
	DefaultVersion     string
	DefaultVersionName string `json:",omitempty"`
}

// deleteDocument removes a document, or one version of it that isn't the default.
func (r *Repository) deleteDocument(c *protocol.Call) (any, error) {
	var in documentInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return struct{}{}, r.records.Update(func(tx *records.Tx) error {
		d, err := ownDocument(tx, in.Name)
		if err != nil {
			return err
		}
		if in.DocumentVersion == "" && in.VersionName == "" {
			return records.Remove(tx, documentsTable, d.Name)
		}
		v, err := d.version(in.DocumentVersion, in.VersionName)
		if err != nil {
			return err
		}
		if v.Number == d.Default {
			return protocol.Refuse("InvalidDocumentOperation", "Version %d is the default version of %s.", v.Number, d.Name)
		}
		d.Versions = slices.DeleteFunc(d.Versions, func(o documentVersion) bool { return o.Number == v.Number })
		return records.Save(tx, documentsTable, d.Name, d)
	})
}

// formatOf is JSON where a text begins with a brace, else YAML.
func formatOf(text string) string {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return "JSON"
	}
	return "YAML"
}

// Put makes a Command document, or a new default version of it; text is JSON, or YAML where it doesn't begin
// with a brace.
func (r *Repository) Put(name, text string) error {
	in := documentInput{Name: name, Content: text, DocumentFormat: formatOf(text)}
	_, err := r.addDocument(in)
	var f protocol.Fault
	if !errors.As(err, &f) || f.Code != "DocumentAlreadyExists" {
		return err
	}
	d, err := r.addVersion(in)
	if err != nil {
		return err
	}
	d.Default = d.latest().Number
	return r.records.Update(func(tx *records.Tx) error { return records.Save(tx, documentsTable, d.Name, d) })
}
