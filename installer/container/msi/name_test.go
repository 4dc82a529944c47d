package msi

import "testing"

// Names as Windows Installer stores them.
func TestNamesAreStoredAsWindowsInstallerDoes(t *testing.T) {
	for name, want := range map[string]string{
		"Property":     "\u4840\u4559\u44f2\u4568\u4737",
		"_StringPool":  "\u4840\u3f3f\u4577\u446c\u3e6a\u44b2\u482f",
		"_Columns":     "\u4840\u3b3f\u43f2\u4438\u45b1",
		"_Tables":      "\u4840\u3f7f\u4164\u422f\u4836",
		"odd table é!": "",
		"a":            "",
		"A-b":          "",
		"Ab Cd":        "",
	} {
		for _, table := range []bool{true, false} {
			got := squeeze(name, table)
			if want != "" && table && got != want {
				t.Errorf("%s: %x, want %x", name, []rune(got), []rune(want))
			}
			if back, was := unsqueeze(got); back != name || was != table {
				t.Errorf("%q comes back as %q", name, back)
			}
		}
	}
}
