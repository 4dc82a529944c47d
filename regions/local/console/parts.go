package console

import (
	"encoding/json"
	"fmt"
)

// materials is the file that says which libraries lie in assets: a bill of materials, CycloneDX 1.6.
const materials = "assets/vendored.cdx.json"

// Part is one library of others that is sent to browsers as it is.
type Part struct {
	File    string // in assets
	Name    string
	Version string
	Licence string // SPDX
	SHA256  string // hex, of the file
	Source  string // where it came from
}

// Parts are the libraries of others.
func Parts() ([]Part, error) {
	text, err := assetFiles.ReadFile(materials)
	if err != nil {
		return nil, err
	}
	var bom struct {
		Components []struct {
			Ref           string `json:"bom-ref"`
			Name, Version string
			Purl          string
			Licenses      []struct{ License struct{ ID string } }
			Hashes        []struct{ Alg, Content string }
		}
	}
	if err := json.Unmarshal(text, &bom); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", materials, err)
	}
	var all []Part
	for _, c := range bom.Components {
		if len(c.Licenses) != 1 || len(c.Hashes) != 1 {
			return nil, fmt.Errorf("%s of %s has no licence or no hash", c.Name, materials)
		}
		all = append(all, Part{c.Ref, c.Name, c.Version, c.Licenses[0].License.ID, c.Hashes[0].Content, c.Purl})
	}
	return all, nil
}
