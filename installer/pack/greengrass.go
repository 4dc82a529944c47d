package pack

import (
	"io"
	"strings"
)

// GreengrassPackage is the name under which manifests list the component.
const GreengrassPackage = "amazon-ssm-agent-greengrass"

// greengrass is what a Greengrass component unpacks (spec update 3.6): ssm-setup-cli, both packages and the settings, flat. A
// device finds them in a folder named like the archive, so its key in a bucket ends in artifacts.zip.
var greengrass = Format{
	Name: "greengrass", Package: GreengrassPackage, Programs: []string{Launcher, Worker, Setup},
	File: func(p Platform) string {
		if p.OS != "linux" || p.Arch != "amd64" && p.Arch != "arm64" {
			return ""
		}
		return GreengrassPackage + "-" + p.OS + "-" + p.Arch + ".zip"
	},
	Loose: func(p Platform) []string { return []string{"greengrass_" + p.OS + "_" + p.Arch + "/artifacts.zip"} },
	write: writeGreengrass,
}

func writeGreengrass(w io.Writer, in Input) error {
	entries := []entry{{path: SetupCLI, mode: 0o755, program: Setup}}
	for _, inner := range []Format{deb, rpm} {
		path, err := in.carried(inner)
		if err != nil {
			return err
		}
		entries = append(entries, entry{path: Launcher + "." + inner.Name, mode: 0o644, file: path})
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

// recipe describes the component for both architectures; it is made once, with linux/amd64.
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
