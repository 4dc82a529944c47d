package yum

// Name is name-version-release.arch.
func (p Package) Name() string {
	h := p.main
	return h.text(tagName) + "-" + h.text(tagVersion) + "-" + h.text(tagRelease) + "." + h.text(tagArch)
}
