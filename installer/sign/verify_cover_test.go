package sign_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/container/cfb"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
)

var jar = []byte("PK\x03\x04 a jar that Java would run PK\x05\x06")

// refused checks that changed bytes are refused, with and without a signer named.
func refused(t *testing.T, m made, path, what string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, trusted := range []sign.Trusted{trusting(t, m.key, m.authority.Root()), {Now: now}} {
		if r, err := pack.Verify(path, trusted); !errors.Is(err, sign.ErrBad) {
			t.Errorf("%s: %+v, %v", what, r, err)
		}
	}
}

// What is glued behind a package is covered by no signature in it, whatever would run it.
func TestBytesBehindAContainerAreRefused(t *testing.T) {
	m := setup(t, true)
	for _, kind := range kinds {
		path := m.file(t, kind)
		whole := read(t, path)
		for _, n := range []int{1, 100, 5000} {
			refused(t, m, path, fmt.Sprintf("%s, %d jars", kind, n), append(bytes.Clone(whole), bytes.Repeat(jar, n)...))
		}
	}
}

// In an MSI of ours every byte of header, tables and directory is as the writer leaves it, so that each that is another is noticed:
// a table that is damaged, and a place that could hold something.
func TestEveryByteOfAnMSIsStructureCounts(t *testing.T) {
	m := setup(t, false)
	path := m.file(t, "msi")
	whole := read(t, path)
	le := binary.LittleEndian
	var offsets []int
	part := func(from, n int) {
		for i := range n {
			offsets = append(offsets, from+i)
		}
	}
	part(0, 90) // the header's fields
	part(508, 4)
	for i, sector := range []uint32{le.Uint32(whole[76:]), le.Uint32(whole[60:]), le.Uint32(whole[48:])} { // FAT, mini FAT, directory
		part((1+int(sector))*512, []int{40, 40, 512}[i])
		part((1+int(sector))*512+508, 4)
	}
	offsets = append(offsets, len(whole)-1, bytes.Index(whole, []byte("another"))+8)
	color := func(at int) bool {
		directory := (1 + int(le.Uint32(whole[48:]))) * 512
		return at >= directory && (at-directory)%128 == 67
	}
	passed := 0
	for _, at := range offsets {
		b := bytes.Clone(whole)
		b[at] ^= 0x41
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := pack.Verify(path, trusting(t, nil, m.authority.Root()))
		if err == nil && !color(at) {
			t.Errorf("byte %d: %s %s", at, r.Trust, r.Note)
			passed++
		}
	}
	if _, err := os.Stat(path); err != nil || passed > 0 {
		t.Errorf("%d of %d bytes do not count", passed, len(offsets))
	}
}

// An MSI of another maker may have slack; it is said how much no signature covers.
func TestSlackOfOthersIsReported(t *testing.T) {
	m := setup(t, false)
	var b bytes.Buffer
	if err := cfb.Write(&b, [16]byte{0x84}, []cfb.Stream{cfb.Bytes("\x05SummaryInformation",
		[]byte("short\x00Windows Installer XML\x00"))}); err != nil {
		t.Fatal(err)
	}
	path := file(t, "a.msi", b.Bytes())
	if err := m.signer.Authenticode(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	whole := read(t, path)
	whole[bytes.Index(whole, []byte("XML\x00"))+6] = 'x'
	if err := os.WriteFile(path, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := pack.Verify(path, trusting(t, nil, m.authority.Root()))
	if err != nil || r.Note != "signed content intact; 1 bytes of slack not covered" {
		t.Errorf("%+v, %v", r, err)
	}
}

// A deb has three members and signatures: dpkg passes over others, and no signature covers them.
func TestAnExtraMemberOfADebIsRefused(t *testing.T) {
	m := setup(t, false)
	path := m.file(t, "deb")
	whole := read(t, path)
	member := func(name string, b []byte) []byte {
		out := fmt.Appendf(nil, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", name, 0, 0, 0, "100644", len(b), b)
		return append(out, make([]byte, len(b)%2)...)
	}
	for _, name := range []string{"_extra", "extra", "data.tar.gz"} {
		refused(t, m, path, name, append(bytes.Clone(whole), member(name, jar)...))
		refused(t, m, path, name+" in front", append([]byte("!<arch>\n"), append(member(name, jar), whole[8:]...)...))
	}
	head := bytes.Clone(whole)
	copy(head[8+16:], "hidden bytes")
	refused(t, m, path, "the header of a member", head)
	sig := bytes.Index(whole, []byte("_gpgorigin"))
	junk := append(bytes.Clone(whole[sig+60:]), jar...)
	refused(t, m, path, "behind a signature", append(bytes.Clone(whole[:sig]), member("_gpgorigin", junk)...))
}

func TestAnRpmsEdgesHoldNothingElse(t *testing.T) {
	m := setup(t, false)
	path := m.file(t, "rpm")
	whole := read(t, path)
	for what, at := range map[string]int{"behind the name in the lead": 70, "reserved bytes of the lead": 90} {
		b := bytes.Clone(whole)
		b[at] = 'x'
		refused(t, m, path, what, b)
	}
	b := bytes.Clone(whole) // a tag that is no signature
	binary.BigEndian.PutUint32(b[96+16+16:], 5555)
	refused(t, m, path, "another tag", b)
}

func TestSignaturesOfAProgramHideNothing(t *testing.T) {
	m := setup(t, false)
	path := m.file(t, "exe")
	whole := read(t, path)
	grown := append(bytes.Clone(whole), bytes.Repeat([]byte("jar!"), 4)...)
	const directory = 0x80 + 24 + 144
	table := binary.LittleEndian.Uint32(whole[directory:])
	size := uint32(len(grown)) - table
	binary.LittleEndian.PutUint32(grown[directory+4:], size)
	refused(t, m, path, "a table of signatures that was made longer", grown)
	binary.LittleEndian.PutUint32(grown[table:], size)
	refused(t, m, path, "a signature that was made longer", grown)
	sum := bytes.Clone(whole)
	sum[0x80+24+64] ^= 1
	if err := os.WriteFile(path, sum, 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err := pack.Verify(path, trusting(t, nil, m.authority.Root())); err != nil || !strings.Contains(r.Note, "4 bytes of slack") {
		t.Errorf("the checksum of another maker's program: %+v, %v", r, err)
	}
}

// Apple's stapler puts its ticket behind a package: that is reported, other bytes are refused.
func TestAStapledTicketIsReported(t *testing.T) {
	m := setup(t, false)
	path := m.file(t, "pkg")
	whole := read(t, path)
	trailer := func(kind uint16, n int) []byte {
		b := append([]byte("t8lr"), 1, 0)
		b = binary.LittleEndian.AppendUint16(b, kind)
		return binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	ticket := append([]byte("s8ch"), bytes.Repeat([]byte("ticket"), 100)...)
	stapled := append(append(append(bytes.Clone(whole), trailer(1, 0)...), ticket...), trailer(2, len(ticket))...)
	if err := os.WriteFile(path, stapled, 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := pack.Verify(path, trusting(t, nil, m.authority.Root()))
	if err != nil || !strings.Contains(r.Note, "636 bytes of a notarisation ticket") {
		t.Errorf("%+v, %v", r, err)
	}
	refused(t, m, path, "a ticket that is none", append(append(bytes.Clone(whole), jar...), trailer(2, len(jar))...))
	refused(t, m, path, "something before the ticket",
		append(append(append(bytes.Clone(whole), jar...), ticket...), trailer(2, len(ticket))...))
}

// FILE.sig covers all of a file: a key is enough for an MSI whose certificate is not known here, and an authority for one whose key is
// not; neither makes up for a file that was changed.
func TestADetachedSignatureIsEnoughForEveryKind(t *testing.T) {
	m, other := setup(t, false), setup(t, false)
	for _, kind := range []string{"exe", "msi", "pkg"} {
		path := m.file(t, kind)
		whole := read(t, path)
		sig, err := m.signer.Detach(bytes.NewReader(whole))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+".sig", sig, 0o644); err != nil {
			t.Fatal(err)
		}
		if r, err := pack.Verify(path, trusting(t, m.key, nil)); err != nil || r.Trust != sign.ByKey {
			t.Errorf("%s by the key: %+v, %v", kind, r, err)
		}
		if r, err := pack.Verify(path, trusting(t, nil, m.authority.Root())); err != nil || r.Trust != sign.ByCA {
			t.Errorf("%s by the authority: %+v, %v", kind, r, err)
		}
		for _, trusted := range []sign.Trusted{trusting(t, other.key, nil), trusting(t, nil, other.authority.Root()),
			trusting(t, other.key, m.authority.Root())} {
			if r, err := pack.Verify(path, trusted); !errors.Is(err, sign.ErrUntrusted) {
				t.Errorf("%s by others: %+v, %v", kind, r, err)
			}
		}
		refused(t, m, path, kind+" with a jar", append(bytes.Clone(whole), jar...))
	}
}
