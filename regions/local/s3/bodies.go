package s3

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/regions/ground"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

// bodiesNamed are the bodies that a record names: those of all objects and parts.
func bodiesNamed(tx *records.Tx) (used map[string]bool, err error) {
	used = map[string]bool{}
	note := func(_ string, o struct{ Body string }) bool { used[o.Body] = true; return false }
	for _, bucket := range records.Parts(tx, objectsTable) {
		if err := records.Each(tx, records.Part(objectsTable, bucket), "", note); err != nil {
			return nil, err
		}
	}
	return used, records.Each(tx, partsTable, "", note)
}

// collect removes files that a crash left behind.
func (st *Store) collect(used map[string]bool) error {
	root, err := os.OpenRoot(st.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || used[d.Name()] {
			return err
		}
		return root.Remove(path)
	})
}

func (st *Store) bodyPath(id string) string { return filepath.Join(st.dir, id[:2], id) }

// keepBody writes a body whole, under a new name that no record mentions yet.
func (st *Store) keepBody(src io.Reader) (id string, size int64, err error) {
	id = newID(16)
	if err := os.MkdirAll(filepath.Dir(st.bodyPath(id)), 0o700); err != nil {
		return "", 0, err
	}
	if size, err = ground.WriteFrom(st.bodyPath(id), src, 0o600, st.durable); err != nil {
		return "", 0, err
	}
	return id, size, nil
}

// dropBody removes a body that no record names any more. What cannot be removed now (open on Windows) goes at the next start.
func (st *Store) dropBody(id string) {
	if id != "" {
		_ = os.Remove(st.bodyPath(id))
	}
}

// newID is n random bytes in hex.
func newID(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return hex.EncodeToString(raw)
}
