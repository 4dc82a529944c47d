package describe

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"
)

// spdxDocument is an SPDX 2.3 document, as far as it is needed.
type spdxDocument struct {
	SpdxVersion       string             `json:"spdxVersion"`
	DataLicense       string             `json:"dataLicense"`
	ID                string             `json:"SPDXID"`
	Name              string             `json:"name"`
	DocumentNamespace string             `json:"documentNamespace"`
	CreationInfo      spdxCreation       `json:"creationInfo"`
	Packages          []spdxPackage      `json:"packages"`
	Relationships     []spdxRelationship `json:"relationships"`
}

type spdxCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	ID               string         `json:"SPDXID"`
	Name             string         `json:"name"`
	Version          string         `json:"versionInfo"`
	DownloadLocation string         `json:"downloadLocation"`
	FilesAnalyzed    bool           `json:"filesAnalyzed"`
	Checksums        []spdxChecksum `json:"checksums,omitempty"`
	Concluded        string         `json:"licenseConcluded"`
	Declared         string         `json:"licenseDeclared"`
	Copyright        string         `json:"copyrightText"`
	Purpose          string         `json:"primaryPackagePurpose"`
	External         []spdxExternal `json:"externalRefs,omitempty"`
}

type spdxChecksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type spdxExternal struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type spdxRelationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

const unknown = "NOASSERTION"

func spdx(s subject) ([]byte, error) {
	const root = "SPDXRef-release"
	d := spdxDocument{SpdxVersion: "SPDX-2.3", DataLicense: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: product + "-" + s.Version + "-" +
		s.platform.OS + "-" + s.platform.Arch,
		DocumentNamespace: project + "/spdx/" + s.id("spdx"),
		CreationInfo:      spdxCreation{s.Time.UTC().Format(time.RFC3339), []string{"Tool: ssm-setup"}}}
	d.Packages = append(d.Packages, spdxPackage{ID: root, Name: product, Version: s.Version, DownloadLocation: unknown,
		Concluded: "Apache-2.0",
		Declared:  "Apache-2.0", Copyright: unknown, Purpose: "APPLICATION"})
	d.link(d.ID, "DESCRIBES", root)
	ids := map[module]string{}
	for i, m := range all(s.programs) {
		ids[module{path: m.path, version: m.version}] = fmt.Sprintf("SPDXRef-module-%d-%s", i, plain(m.path))
		d.Packages = append(d.Packages, spdxPackage{ID: ids[module{path: m.path, version: m.version}], Name: m.path, Version: m.version,
			DownloadLocation: unknown, Concluded: unknown, Declared: unknown, Copyright: unknown, Purpose: "LIBRARY",
			External: []spdxExternal{{"PACKAGE-MANAGER", "purl", m.reference()}}})
	}
	for _, p := range s.programs {
		id := "SPDXRef-program-" + plain(p.Name)
		d.Packages = append(d.Packages, spdxPackage{ID: id, Name: p.Name, Version: s.Version, DownloadLocation: unknown,
			Checksums: []spdxChecksum{{"SHA256",
				p.SHA256}}, Concluded: "Apache-2.0", Declared: "Apache-2.0", Copyright: unknown, Purpose: "APPLICATION"})
		d.link(root, "CONTAINS", id)
		for _, m := range p.modules() {
			d.link(id, "DEPENDS_ON", ids[module{path: m.path, version: m.version}])
		}
	}
	return indented(d)
}

func (d *spdxDocument) link(from, how, to string) {
	d.Relationships = append(d.Relationships, spdxRelationship{from, how, to})
}

var notPlain = regexp.MustCompile(`[^A-Za-z0-9.]+`)

// plain is a text with nothing but what an SPDX id may have.
func plain(text string) string { return notPlain.ReplaceAllString(text, "-") }

func indented(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}
