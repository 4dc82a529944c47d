// Package documents is the part of ssm that keeps documents: those every region has, and those the account made, with all their
// versions.
//
//	repository.go  the operations of this part
//	documents.go   the record; looking one up by name, ARN, version
//	builtin.go     AWS-RunShellScript, AWS-RunPowerShellScript, AWS-UpdateSSMAgent
//	content.go     what a document says: JSON or YAML in, steps, platforms and parameters out
//	values.go      the parameters of a command, checked against the document
//	edit.go        create, new version, default version, delete
//	show.go        describe, get, list; filter.go the filters of a list; yaml.go the way between JSON and YAML
//
// It owns the table of records "ssm.documents" (name → document). Built-in documents are made anew each time: they name the
// region's own address.
//
// What must always be true: a document that is kept could be read; its versions never change, and one is the default.
// Facts: docs/protocol/runcommand.md, "Documents"; docs/protocol/update.md, "The update document"; the SDK's types.
package documents

import (
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

const documentsTable = "ssm.documents" // name

// Repository is every document of a region.
type Repository struct {
	records *records.Store
	now     func() time.Time
	url     func() string
}

// Open opens the repository of a region. now is the region's time, url its address: http://host:port.
func Open(store *records.Store, now func() time.Time, url func() string) (*Repository, error) {
	return &Repository{store, now, url}, store.Prepare(documentsTable)
}

// Operations are the rows of ssm that concern documents. Nodes may read them: steps that run another document fetch it (
// docs/protocol/runcommand.md, "Other SSM operations used by this subsystem").
func (r *Repository) Operations() protocol.Operations {
	return protocol.Operations{
		"CreateDocument":               {Allow: protocol.Administrator, Run: r.createDocument},
		"GetDocument":                  {Allow: protocol.NodeOrAdministrator, Run: r.getDocument},
		"DescribeDocument":             {Allow: protocol.NodeOrAdministrator, Run: r.describeDocument},
		"UpdateDocument":               {Allow: protocol.Administrator, Run: r.updateDocument},
		"UpdateDocumentDefaultVersion": {Allow: protocol.Administrator, Run: r.updateDocumentDefaultVersion},
		"DeleteDocument":               {Allow: protocol.Administrator, Run: r.deleteDocument},
		"ListDocuments":                {Allow: protocol.Administrator, Run: r.listDocuments},
		"ListDocumentVersions":         {Allow: protocol.Administrator, Run: r.listDocumentVersions},
	}
}

// Check reads a text as a new version of a Command document would be read, and keeps nothing: JSON, or YAML where it doesn't begin
// with a brace. Errors are those of CreateDocument.
func Check(text string) (Content, error) {
	if len(text) > documentBytes {
		return Content{}, protocol.Refuse("MaxDocumentSizeExceeded", "A document has at most %d bytes; this one has %d.",
			documentBytes, len(text))
	}
	return readContent(text, formatOf(text), "Command")
}
