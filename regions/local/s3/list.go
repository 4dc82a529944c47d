package s3

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

// listQuery is what a listing asks for.
type listQuery struct {
	prefix, delimiter string
	after             string // last key or common prefix of the page before
	most              int
}

// objectPage is one page of a listing, in the order of keys.
type objectPage struct {
	keys      []string
	objects   []object
	prefixes  []string
	last      string // last key or prefix on this page
	truncated bool
}

// list reads one page.
func (st *Store) list(bucket string, q listQuery) (p objectPage, err error) {
	err = st.records.View(func(tx *records.Tx) error {
		objects, err := objectsOf(tx, bucket)
		if err != nil {
			return err
		}
		c := records.Seek(tx, objects, max(q.prefix, q.after))
		for key, ok := c.Key(); ok && strings.HasPrefix(key, q.prefix); key, ok = c.Key() {
			common, rolled := q.commonPrefix(key)
			if shown := rolled && common == q.after; shown || key <= q.after {
				skip(c, common, shown)
				continue
			}
			if len(p.keys)+len(p.prefixes) >= q.most {
				p.truncated = q.most > 0
				return nil
			}
			if rolled {
				p.prefixes, p.last = append(p.prefixes, common), common
				skip(c, common, true)
				continue
			}
			var o object
			if err := c.Read(&o); err != nil {
				return err
			}
			p.keys, p.objects, p.last = append(p.keys, key), append(p.objects, o), key
			c.Next()
		}
		return nil
	})
	return p, err
}

// commonPrefix is the common prefix a key is counted under, when there is a delimiter behind the prefix.
func (q listQuery) commonPrefix(key string) (common string, ok bool) {
	if q.delimiter == "" {
		return "", false
	}
	i := strings.Index(key[len(q.prefix):], q.delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(q.prefix)+i+len(q.delimiter)], true
}

// skip moves a cursor on: behind everything that begins with prefix, or by one.
func skip(c *records.Cursor, prefix string, all bool) {
	if !all {
		c.Next()
		return
	}
	end := []byte(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			c.Seek(string(end[:i+1]))
			return
		}
	}
	c.End()
}

type listEntry struct {
	Key          string
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
	Owner        *owner `xml:",omitempty"`
}

type commonPrefix struct{ Prefix string }

// listing is the answer of both versions.
type listing struct {
	XMLName               xml.Name
	Name                  string
	Prefix                string
	Marker                *string `xml:",omitempty"`
	NextMarker            string  `xml:",omitempty"`
	StartAfter            string  `xml:",omitempty"`
	ContinuationToken     string  `xml:",omitempty"`
	NextContinuationToken string  `xml:",omitempty"`
	KeyCount              *int    `xml:",omitempty"`
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	Contents              []listEntry
	CommonPrefixes        []commonPrefix
}

func (c *call) listObjects() error {
	marker := c.query.Get("marker")
	out, p, encode, err := c.listPage(marker, true)
	if err != nil {
		return err
	}
	marker = encode(marker)
	out.Marker = &marker
	if p.truncated && out.Delimiter != "" {
		out.NextMarker = encode(p.last)
	}
	return c.writeXML(http.StatusOK, out)
}

func (c *call) listObjectsV2() error {
	after, token := c.query.Get("start-after"), c.query.Get("continuation-token")
	if c.query.Has("continuation-token") {
		raw, err := base64.URLEncoding.DecodeString(token)
		if err != nil || token == "" {
			return protocol.Refuse("InvalidArgument", "The continuation token provided is incorrect")
		}
		after = string(raw)
	}
	out, p, encode, err := c.listPage(after, c.query.Get("fetch-owner") == "true")
	if err != nil {
		return err
	}
	count := len(p.keys) + len(p.prefixes)
	out.KeyCount, out.ContinuationToken = &count, token
	out.StartAfter = encode(c.query.Get("start-after"))
	if p.truncated {
		out.NextContinuationToken = base64.URLEncoding.EncodeToString([]byte(p.last))
	}
	return c.writeXML(http.StatusOK, out)
}

// listPage fills what both versions share. encode is the identity, or URL encoding where that was asked for.
func (c *call) listPage(after string, withOwner bool) (out listing, p objectPage, encode func(string) string, err error) {
	q := listQuery{prefix: c.query.Get("prefix"), delimiter: c.query.Get("delimiter"), after: after}
	if q.most, err = c.number("max-keys", 1000, 1000); err != nil {
		return out, p, nil, err
	}
	encode = func(s string) string { return s }
	switch kind := c.query.Get("encoding-type"); kind {
	case "":
	case "url":
		encode = urlEncoded
	default:
		return out, p, nil, protocol.Refuse("InvalidArgument", "Invalid Encoding Method specified in Request")
	}
	if p, err = c.store.list(c.bucket, q); err != nil {
		return out, p, nil, err
	}
	out = listing{XMLName: inNamespace("ListBucketResult"), Name: c.bucket, Prefix: encode(q.prefix), MaxKeys: q.most,
		Delimiter: encode(q.delimiter), EncodingType: c.query.Get("encoding-type"), IsTruncated: p.truncated}
	for i, key := range p.keys {
		o := p.objects[i]
		e := listEntry{Key: encode(key), LastModified: isoTime(o.Modified), ETag: quote(o.ETag), Size: o.Size, StorageClass: "STANDARD"}
		if withOwner {
			who := administrator()
			e.Owner = &who
		}
		out.Contents = append(out.Contents, e)
	}
	for _, prefix := range p.prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{encode(prefix)})
	}
	return out, p, encode, nil
}

// urlEncoded escapes a key as encoding-type=url wants it: slashes stay.
func urlEncoded(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") }

// number reads a parameter; most caps it.
func (c *call) number(name string, standard, most int) (int, error) {
	text := c.query.Get(name)
	if text == "" {
		return standard, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return 0, protocol.Refuse("InvalidArgument", "Provided %s not an integer or within integer range", name)
	}
	return min(int(n), most), nil
}
