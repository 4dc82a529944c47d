package apt

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/ulikunitz/xz/lzma"
)

// ErrDeb says that something is no Debian package.
var ErrDeb = errors.New("not a Debian package")

// maxControl bounds the control archive, packed and unpacked.
const maxControl = 1 << 20

// Control reads a package's control file. It reads no further than the archive that holds it, near the package's start.
func Control(deb io.Reader) (string, error) {
	magic := make([]byte, 8)
	if _, err := io.ReadFull(deb, magic); err != nil || string(magic) != "!<arch>\n" {
		return "", fmt.Errorf("%w: no ar archive", ErrDeb)
	}
	for range 3 {
		name, data, err := member(deb)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(name, "control.tar") {
			return control(name, data)
		}
	}
	return "", fmt.Errorf("%w: it has no control archive", ErrDeb)
}

// member reads the next small member of an ar archive.
func member(r io.Reader) (string, []byte, error) {
	head := make([]byte, 60)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrDeb, err)
	}
	size, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
	if err != nil || size < 0 || size > maxControl || string(head[58:]) != "`\n" {
		return "", nil, fmt.Errorf("%w: bad member header", ErrDeb)
	}
	data := make([]byte, size+size%2)
	if _, err := io.ReadFull(r, data); err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrDeb, err)
	}
	return strings.TrimRight(string(head[:16]), " /"), data[:size], nil
}

func control(name string, data []byte) (string, error) {
	var r io.Reader = bytes.NewReader(data)
	var err error
	switch path.Ext(name) {
	case ".gz":
		r, err = gzip.NewReader(r)
	case ".xz":
		r, err = firstBlock(data)
	case ".tar":
	default:
		err = fmt.Errorf("its control archive is packed as %s", path.Ext(name))
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrDeb, err)
	}
	for archive := tar.NewReader(io.LimitReader(r, maxControl)); ; {
		h, err := archive.Next()
		if err != nil {
			return "", fmt.Errorf("%w: control archive: %w", ErrDeb, err)
		}
		if path.Clean(h.Name) != "control" {
			continue
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			return "", fmt.Errorf("%w: control archive: %w", ErrDeb, err)
		}
		return strings.TrimSpace(string(text)) + "\n", nil
	}
}

// maxDictionary bounds the dictionary that an xz stream may ask for, in bytes: the reader allocates it at once. xz -9 asks for that.
const maxDictionary = 64 << 20

// firstBlock unpacks the first block of an xz stream; a control archive is far smaller than a block. Header of 12 bytes, then that of
// the block: size, flags, compressed and plain size where they are stated, filters (the file format of xz, section 3.1).
func firstBlock(data []byte) (io.Reader, error) {
	const streamHeader, lzma2 = 12, 0x21
	bad := errors.New("its xz stream cannot be read")
	if len(data) < streamHeader+2 || !bytes.HasPrefix(data, []byte("\xfd7zXZ\x00")) {
		return nil, bad
	}
	length, flags := (int(data[streamHeader])+1)*4, data[streamHeader+1]
	if length < 8 || len(data) < streamHeader+length {
		return nil, bad
	}
	b := data[streamHeader+2 : streamHeader+length]
	for _, stated := range []byte{0x40, 0x80} {
		if flags&stated == 0 {
			continue
		}
		_, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, bad
		}
		b = b[n:]
	}
	if flags&3 != 0 || len(b) < 3 || b[0] != lzma2 || b[1] != 1 {
		return nil, bad // more filters, or others
	}
	size, err := lzma.DecodeDictCap(b[2])
	if err != nil || size > maxDictionary {
		return nil, fmt.Errorf("its xz stream asks for a dictionary of %d bytes, %d are allowed", size, maxDictionary)
	}
	return lzma.Reader2Config{DictCap: int(size)}.NewReader2(bytes.NewReader(data[streamHeader+length:]))
}

// field reads a field of a control file.
func field(control, name string) string {
	for line := range strings.Lines(control) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
