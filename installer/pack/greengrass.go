package pack

import (
	"io"
	"strings"
)

// GreengrassPackage is the name under which manifests list the component.
const GreengrassPackage = "amazon-ssm-agent-greengrass"

// greengrass is what a Greengrass component unpacks (docs/protocol/update.md, "Greengrass flow"): ssm-setup-cli, the packages
// that it may install and the settings, flat. A device finds them in a folder named like the archive, so its key in a bucket
// ends in artifacts.zip.
var greengrass = Format{
	Name: "greengrass", Package: GreengrassPackage, Programs: []string{Setup},
	File: func(p Platform) string {
		if packagesOn(p) == nil {
			return ""
		}
		return GreengrassPackage + "-" + p.OS + "-" + p.Arch + ".zip"
	},
	Loose: func(p Platform) []string { return []string{"greengrass_" + p.OS + "_" + p.Arch + "/artifacts.zip"} },
	embeds: func(p Platform) (programs []string) {
		for _, inner := range packagesOn(p) {
			programs = append(programs, inner.format.Programs...)
		}
		return programs
	},
	write: writeGreengrass,
}

// componentPackage is a package in a component, under the name that ssm-setup-cli looks for.
type componentPackage struct {
	format Format
	name   string
}

// packagesOn are the packages in the component of a platform; none where there is no component.
func packagesOn(p Platform) []componentPackage {
	switch p {
	case Platform{"linux", "amd64"}, Platform{"linux", "arm64"}:
		return []componentPackage{{deb, Launcher + ".deb"}, {rpm, Launcher + ".rpm"}}
	case Platform{"windows", "amd64"}:
		return []componentPackage{{setupEXE, "AmazonSSMAgentSetup.exe"}}
	}
	return nil
}

func writeGreengrass(w io.Writer, in Input) error {
	entries := []entry{{path: SetupCLI, mode: 0o755, program: Setup}}
	for _, inner := range packagesOn(in.Platform) {
		path, err := in.Embedded(inner.format)
		if err != nil {
			return err
		}
		entries = append(entries, entry{path: inner.name, mode: 0o644, file: path})
	}
	entries = append(entries,
		entry{path: "amazon-ssm-agent.json", mode: 0o600, data: []byte(greengrassSettings(in))},
		text(in, "LICENSE", plain, "common/LICENSE"), text(in, "NOTICE.md", plain, "common/NOTICE.md"))
	return writeZip(w, in, entries)
}

// greengrassSettings are the template's, with the component's two differences.
func greengrassSettings(in Input) string {
	return strings.NewReplacer(`"ShareProfile": ""`, `"ShareProfile": "ssm-iot-gg"`, `"KeyAutoRotateDays": 0`, `"KeyAutoRotateDays": 30`).
		Replace(read(in, "common/amazon-ssm-agent.json.template"))
}

// recipe describes the component for all its platforms; it is made once, with linux/amd64.
var recipe = Format{
	Name: "recipe", Package: GreengrassPackage,
	File: func(p Platform) string {
		if p != (Platform{"linux", "amd64"}) {
			return ""
		}
		return GreengrassPackage + "-recipe.yaml"
	},
	Loose: func(Platform) []string { return []string{"greengrass/recipe.yaml"} },
	write: func(w io.Writer, in Input) error {
		_, err := io.WriteString(w, read(in, "greengrass/recipe.yaml"))
		return err
	},
}
