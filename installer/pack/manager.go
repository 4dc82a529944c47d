package pack

import "slices"

// Manager is the package manager that installs the packages of a format, and how it is called (docs/protocol/update.md, "Choosing
// package, service and verification manager"). In commands {} stands for the path of the package or, in those that remove, for
// the product that Windows lists.
type Manager struct {
	Platforms []string // os, or os/arch, in Go's names
	Families  []string // systems at home with it: ID and ID_LIKE of os-release; empty where a platform has one manager only

	Query     []string // exit code 0 and Installed in its output: the agent was installed through it
	Installed string
	Install   []string
	Remove    []string // settings and registration stay
	Purge     []string

	// RemovesNewer says that Install refuses a package older than the installed one, so that the newer is removed first.
	RemovesNewer bool
}

// Managed are the formats that a package manager of a platform installs, in the order in which they are tried.
func Managed(p Platform) []Format {
	return slices.DeleteFunc(Formats(), func(f Format) bool {
		return f.Manager == nil || f.File(p) == "" || !slices.Contains(f.Manager.Platforms, p.OS) &&
			!slices.Contains(f.Manager.Platforms, p.String())
	})
}

// FamilyFormat is the name of the format whose package manager is at home on a system of a family, by a word of ID or ID_LIKE in
// os-release; empty where no format names that family.
func FamilyFormat(word string) string {
	for _, f := range formats {
		if f.Manager != nil && slices.Contains(f.Manager.Families, word) {
			return f.Name
		}
	}
	return ""
}
