package yum

import "encoding/xml"

// The three lists, as createrepo writes them.

type version struct {
	Epoch string `xml:"epoch,attr,omitempty"`
	Ver   string `xml:"ver,attr,omitempty"`
	Rel   string `xml:"rel,attr,omitempty"`
}

type relation struct {
	Name  string `xml:"name,attr"`
	Flags string `xml:"flags,attr,omitempty"`
	version
	Pre string `xml:"pre,attr,omitempty"`
}

type file struct {
	Type string `xml:"type,attr,omitempty"`
	Path string `xml:",chardata"`
}

type change struct {
	Author string `xml:"author,attr"`
	Date   uint32 `xml:"date,attr"`
	Text   string `xml:",chardata"`
}

type primaryList struct {
	XMLName  xml.Name         `xml:"metadata"`
	Xmlns    string           `xml:"xmlns,attr"`
	Rpm      string           `xml:"xmlns:rpm,attr"`
	Count    int              `xml:"packages,attr"`
	Packages []primaryPackage `xml:"package"`
}

type primaryPackage struct {
	Type     string  `xml:"type,attr"`
	Name     string  `xml:"name"`
	Arch     string  `xml:"arch"`
	Version  version `xml:"version"`
	Checksum struct {
		Type  string `xml:"type,attr"`
		PkgID string `xml:"pkgid,attr"`
		Sum   string `xml:",chardata"`
	} `xml:"checksum"`
	Summary     string `xml:"summary"`
	Description string `xml:"description"`
	Packager    string `xml:"packager"`
	URL         string `xml:"url"`
	Time        struct {
		File  uint32 `xml:"file,attr"`
		Build uint32 `xml:"build,attr"`
	} `xml:"time"`
	Size struct {
		Package   int64  `xml:"package,attr"`
		Installed uint32 `xml:"installed,attr"`
		Archive   uint32 `xml:"archive,attr"`
	} `xml:"size"`
	Location struct {
		Href string `xml:"href,attr"`
	} `xml:"location"`
	Format format `xml:"format"`
}

type format struct {
	License   string `xml:"rpm:license"`
	Vendor    string `xml:"rpm:vendor"`
	Group     string `xml:"rpm:group"`
	BuildHost string `xml:"rpm:buildhost"`
	Source    string `xml:"rpm:sourcerpm"`
	Header    struct {
		Start int64 `xml:"start,attr"`
		End   int64 `xml:"end,attr"`
	} `xml:"rpm:header-range"`
	Provides  *relations `xml:"rpm:provides,omitempty"`
	Requires  *relations `xml:"rpm:requires,omitempty"`
	Conflicts *relations `xml:"rpm:conflicts,omitempty"`
	Obsoletes *relations `xml:"rpm:obsoletes,omitempty"`
	Files     []file     `xml:"file"`
}

type relations struct {
	Entries []relation `xml:"rpm:entry"`
}

// namedList is filelists.xml and other.xml.
type namedList struct {
	XMLName  xml.Name
	Xmlns    string         `xml:"xmlns,attr"`
	Count    int            `xml:"packages,attr"`
	Packages []namedPackage `xml:"package"`
}

type namedPackage struct {
	ID      string   `xml:"pkgid,attr"`
	Name    string   `xml:"name,attr"`
	Arch    string   `xml:"arch,attr"`
	Version version  `xml:"version"`
	Files   []file   `xml:"file"`
	Changes []change `xml:"changelog"`
}

// some is nil for no entries: an empty element would be one dependency on nothing.
func some(list []relation) *relations {
	if len(list) == 0 {
		return nil
	}
	return &relations{list}
}

func (p Package) primary() primaryPackage {
	h := p.main
	x := primaryPackage{Type: "rpm", Name: h.text(tagName), Arch: h.text(tagArch), Version: p.evr(), Summary: h.text(tagSummary),
		Description: h.text(tagDescription), Packager: h.text(tagPackager), URL: h.text(tagURL)}
	x.Checksum.Type, x.Checksum.PkgID, x.Checksum.Sum = "sha256", "YES", p.id()
	x.Time.File, x.Time.Build = h.number(tagBuildTime), h.number(tagBuildTime)
	x.Size.Package, x.Size.Installed, x.Size.Archive = p.Size, h.number(tagSize), p.signature.number(sigPayloadSize)
	x.Location.Href = p.Key
	x.Format = format{License: h.text(tagLicense), Vendor: h.text(tagVendor), Group: h.text(tagGroup), BuildHost: h.text(tagBuildHost),
		Source:    h.text(tagSourceRPM),
		Provides:  some(p.relations(tagProvideName, tagProvideFlags, tagProvideVersion)),
		Requires:  some(p.relations(tagRequireName, tagRequireFlags, tagRequireVersion)),
		Conflicts: some(p.relations(tagConflictName, tagConflictFlags, tagConflictVersion)),
		Obsoletes: some(p.relations(tagObsoleteName, tagObsoleteFlags, tagObsoleteVersion)),
		Files:     p.primaryFiles()}
	x.Format.Header.Start, x.Format.Header.End = p.start, p.end
	return x
}
