package pack_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// A package is made of programs in a folder; the same programs, version and time give the same bytes. Here two texts stand for
// the programs: [pack.Make] packs what it is given, and [pack.Check] is what looks at it first.
func ExampleMake() {
	work, err := os.MkdirTemp("", "example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(work)
	for _, name := range []string{pack.Launcher, pack.Worker} {
		if err := os.WriteFile(filepath.Join(work, name), []byte("program "+name), 0o755); err != nil {
			fmt.Println(err)
			return
		}
	}
	in := pack.Input{Version: manifests.MustVersion("9.1.0.0"), Platform: pack.Platform{OS: "linux", Arch: "amd64"}, Bin: work,
		Time: time.Unix(1700000000, 0)}
	formats, err := pack.ParseFormats([]string{"deb"})
	if err != nil {
		fmt.Println(err)
		return
	}
	made, err := pack.Make(formats[0], in, work)
	if err != nil {
		fmt.Println(err)
		return
	}
	fixed, _ := formats[0].Keys(in.Version, in.Platform)
	fmt.Println(made.File)
	fmt.Println(fixed[1])
	// Output:
	// amazon-ssm-agent-debian-amd64.deb
	// 9.1.0.0/debian_amd64/amazon-ssm-agent.deb
}
