package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
)

//go:embed assets
var assetFiles embed.FS

// asset is a file that is sent as it is.
type asset struct {
	kind         string
	body, packed []byte
	tag          string
}

// assetKinds are the files that are sent, by the end of their names.
var assetKinds = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// assets reads and compresses the files once.
func assets() map[string]asset {
	all := map[string]asset{}
	files, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic(err) // it is part of the program
	}
	for _, f := range files {
		kind, ok := assetKinds[path.Ext(f.Name())]
		body, err := assetFiles.ReadFile("assets/" + f.Name())
		if !ok || err != nil {
			continue
		}
		sum := sha256.Sum256(body)
		all[f.Name()] = asset{kind: kind, body: body, packed: pack(body), tag: `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return all
}

// asset sends a file; a browser that has it asks whether it changed.
func (c *Console) asset(w http.ResponseWriter, req *http.Request, name string) {
	a, ok := c.assets[name]
	if !ok {
		c.refuse(w, http.StatusNotFound, "There is no such file.")
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", a.tag)
	h.Set("Content-Type", a.kind)
	if req.Header.Get("If-None-Match") == a.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	send(w, req, http.StatusOK, a.body, a.packed)
}
