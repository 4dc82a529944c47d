package manifests

import (
	"errors"
	"strings"
)

// A delta is a file of the agent's package as any other, listed with the version that it makes:
// amazon-ssm-agent-portable-<os>-<arch>-from-<version>.delta. Hosts that do not know deltas never ask for such a name.
const (
	deltaFrom = "-from-"
	deltaEnd  = ".delta"
)

// DeltaFile is the name of the delta that makes the program of an archive ([PortableFile]) from that of another version.
func DeltaFile(archive string, from Version) string {
	return strings.TrimSuffix(strings.TrimSuffix(archive, ".tar.gz"), ".zip") + deltaFrom + from.String() + deltaEnd
}

// ParseDeltaFile finds out which archive a delta stands for, and the version it starts from; ok is false for other files.
func ParseDeltaFile(name string) (archive string, from Version, ok bool) {
	stem, isDelta := strings.CutSuffix(name, deltaEnd)
	at := strings.LastIndex(stem, deltaFrom)
	if !isDelta || at < 0 {
		return "", from, false
	}
	from, err := ParseVersion(stem[at+len(deltaFrom):])
	platform, portable := strings.CutPrefix(stem[:at], AgentPackage+"-portable-")
	goos, goarch, two := strings.Cut(platform, "-")
	if err != nil || !portable || !two {
		return "", Version{}, false
	}
	return PortableFile(goos, goarch), from, true
}

// Delta is a listed small download: the file that makes a version's program from another one's.
type Delta struct {
	File    string
	SHA256  Sum   // of the file
	Size    int64 // bytes of the file
	From    Version
	Source  Sum // of the program it starts from
	Program Sum // of the program it makes: the one that the archive of that version is listed with
}

// Deltas are the deltas to a version that a manifest lists for an archive of the agent, whose entry must say the same of the program.
// What is not whole or does not fit is left out.
func (m *Manifest) Deltas(archive string, to Version) (list []Delta) {
	l, err := m.Listing(AgentPackage, archive)
	if err != nil {
		return nil
	}
	full, ok := l.Find(to)
	program, err := ParseSum(full.ProgramChecksum)
	if !ok || err != nil {
		return nil
	}
	for _, p := range m.Packages {
		if p.Name != AgentPackage {
			continue
		}
		for _, f := range p.Files {
			of, from, ok := ParseDeltaFile(f.Name)
			if !ok || of != archive {
				continue
			}
			entry, ok := Listing{m, p.Name, f}.Find(to)
			if !ok || StatusOf(entry) == "" || entry.Size <= 0 {
				continue
			}
			sum, err := entry.Sum()
			source, serr := ParseSum(entry.SourceChecksum)
			makes, perr := ParseSum(entry.ProgramChecksum)
			if errors.Join(err, serr, perr) == nil && makes == program {
				list = append(list, Delta{f.Name, sum, entry.Size, from, source, program})
			}
		}
	}
	return list
}
