package documents

import (
	"cmp"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// document is the record of a document with all its versions, oldest first.
type document struct {
	Name       string
	Type       string        // Command, Session, …
	TargetType string        `json:",omitempty"`
	Tags       []wire.Tag    `json:",omitempty"`
	Requires   []requirement `json:",omitempty"`
	Default    int           // number of the default version
	Next       int           // number of the next version
	Versions   []documentVersion
	builtIn    bool
}

type documentVersion struct {
	Number      int
	VersionName string `json:",omitempty"`
	DisplayName string `json:",omitempty"`
	Format      string // JSON, YAML or TEXT
	Content     string
	Created     time.Time
}

type requirement struct {
	Name        string
	Version     string `json:",omitempty"`
	RequireType string `json:",omitempty"`
	VersionName string `json:",omitempty"`
}

// Limits of documents (Systems Manager quotas).
const (
	documentBytes    = 64 << 10
	documentVersions = 1000
	documentsMost    = 500
)

func (v documentVersion) sha256() string {
	sum := sha256.Sum256([]byte(v.Content))
	return hex.EncodeToString(sum[:])
}

func (v documentVersion) sha1() string {
	sum := sha1.Sum([]byte(v.Content))
	return hex.EncodeToString(sum[:])
}

func (d document) latest() documentVersion { return d.Versions[len(d.Versions)-1] }

func (d document) number(n int) (documentVersion, bool) {
	i := slices.IndexFunc(d.Versions, func(v documentVersion) bool { return v.Number == n })
	if i < 0 {
		return documentVersion{}, false
	}
	return d.Versions[i], true
}

func (d document) owner() string {
	if d.builtIn {
		return "Amazon"
	}
	return protocol.Account
}

// document finds a stored or built-in document by name or ARN; a version may follow an ARN's name after a colon.
func (r *Repository) document(tx *records.Tx, reference string) (d document, version string, err error) {
	name := reference
	if strings.HasPrefix(name, "arn:") {
		_, name, _ = strings.Cut(name, ":document/")
		name, version, _ = strings.Cut(name, ":")
	}
	if d, ok := r.builtIn(name); ok {
		return d, version, nil
	}
	d, ok, err := records.Fetch[document](tx, documentsTable, name)
	if err != nil || !ok {
		return d, version, protocol.NotFound(err, protocol.Refuse("InvalidDocument", "There is no document %s.", reference))
	}
	return d, version, nil
}

// version picks one version: by number, $LATEST, $DEFAULT, by version name, or the default one.
func (d document) version(number, name string) (documentVersion, error) {
	missing := protocol.Refuse("InvalidDocumentVersion", "The document %s has no version %s.", d.Name, number+name)
	if name != "" {
		i := slices.IndexFunc(d.Versions, func(v documentVersion) bool { return v.VersionName == name })
		if i < 0 || number != "" && !strings.HasPrefix(number, "$") && number != strconv.Itoa(d.Versions[i].Number) {
			return documentVersion{}, missing
		}
		return d.Versions[i], nil
	}
	n := d.Default
	switch number {
	case "", "$DEFAULT":
	case "$LATEST":
		return d.latest(), nil
	default:
		n, _ = strconv.Atoi(number)
	}
	v, ok := d.number(n)
	if !ok {
		return v, missing
	}
	return v, nil
}

// Wanted is a document as a command asks for it.
type Wanted struct {
	Name     string // or ARN
	Version  string // number, $LATEST, $DEFAULT; empty: as the ARN says, else the default one
	Hash     string // hex; empty: not checked
	HashType string // Sha1; everything else: Sha256
}

// Command reads the document of a command and checks it against the hash that was given.
func (r *Repository) Command(tx *records.Tx, want Wanted) (Content, error) {
	d, inARN, err := r.document(tx, want.Name)
	if err != nil {
		return Content{}, err
	}
	if d.Type != "Command" {
		return Content{}, protocol.Refuse("InvalidDocument", "The document %s is of type %s; Run Command takes documents of type Command.",
			d.Name, d.Type)
	}
	v, err := d.version(cmp.Or(want.Version, inARN), "")
	if err != nil {
		return Content{}, err
	}
	if want.Hash != "" {
		hash := v.sha256()
		if want.HashType == "Sha1" {
			hash = v.sha1()
		}
		if !strings.EqualFold(hash, want.Hash) {
			return Content{}, protocol.Refuse("InvalidDocument", "The hash of %s isn't the one that was given.", d.Name)
		}
	}
	return readContent(v.Content, v.Format, d.Type)
}

// ChangeTags hands the tags of an own document to change and keeps what it returns, where it says so. Error: missing where
// there is no such document.
func ChangeTags(tx *records.Tx, name string, missing protocol.Fault,
	change func([]wire.Tag) (tags []wire.Tag, keep bool, err error)) error {
	d, ok, err := records.Fetch[document](tx, documentsTable, name)
	if err != nil || !ok {
		return protocol.NotFound(err, missing)
	}
	tags, keep, err := change(d.Tags)
	if err != nil || !keep {
		return err
	}
	d.Tags = tags
	return records.Save(tx, documentsTable, d.Name, d)
}

// isDocumentName tells whether s may name a document of one's own: ^[a-zA-Z0-9_\-.]{3,128}$.
func isDocumentName(s string) bool { return len(s) >= 3 && len(s) <= 128 && protocol.Only(s, "_-.") }

// IsReference takes a name or an ARN.
func IsReference(s string) bool { return len(s) >= 3 && len(s) <= 128 && protocol.Only(s, "_-.:/") }

// IsVersion takes $LATEST, $DEFAULT and the number of a version.
func IsVersion(s string) bool {
	return s == "$LATEST" || s == "$DEFAULT" || isDocumentNumber(s)
}

func isDocumentNumber(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n > 0 && strconv.Itoa(n) == s
}
