package describe

import (
	"bytes"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// product is the name of what a release is a release of.
const product = "amazon-ssm-agent"

// project is where the source comes from.
const project = "https://github.com/ssm-setup/ssm-setup"

func cycloneDX(s subject) ([]byte, error) {
	b := cdx.NewBOM()
	b.SerialNumber = "urn:uuid:" + s.id("cyclonedx")
	root := cdx.Component{BOMRef: "release", Type: cdx.ComponentTypeApplication, Name: product, Version: s.Version,
		Description: "Release for " + s.platform.String(),
		Licenses:    &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}}}
	b.Metadata = &cdx.Metadata{Timestamp: s.Time.UTC().Format(time.RFC3339), Component: &root}
	var parts []cdx.Component
	var links []cdx.Dependency
	var inside []string
	for _, p := range s.programs {
		ref := "program:" + p.Name
		inside = append(inside, ref)
		parts = append(parts, cdx.Component{BOMRef: ref, Type: cdx.ComponentTypeApplication, Name: p.Name, Version: s.Version,
			Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: p.SHA256}}})
		var needs []string
		for _, m := range p.modules() {
			needs = append(needs, m.reference())
		}
		links = append(links, cdx.Dependency{Ref: ref, Dependencies: &needs})
	}
	for _, m := range all(s.programs) {
		c := cdx.Component{BOMRef: m.reference(), Type: cdx.ComponentTypeLibrary, Name: m.path, Version: m.version, PackageURL: m.reference()}
		if m.sum != "" {
			c.Properties = &[]cdx.Property{{Name: "go:sum", Value: m.sum}}
		}
		parts = append(parts, c)
	}
	links = append([]cdx.Dependency{{Ref: "release", Dependencies: &inside}}, links...)
	b.Components, b.Dependencies = &parts, &links
	var out bytes.Buffer
	err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).Encode(b)
	return out.Bytes(), err
}

// id is a name for one file about these programs.
func (s subject) id(kind string) string {
	texts := []string{kind, product, s.Version, s.platform.String()}
	for _, p := range s.programs {
		texts = append(texts, p.Name, p.SHA256)
	}
	return name(texts...)
}
