package s3

import (
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// call is one request to the bucket part of a region.
type call struct {
	*protocol.Answer
	store  *Store
	gate   *protocol.Gate
	who    protocol.Proof
	bucket string
	key    string
	query  url.Values
}

// operations are what S3 can do here; who may do it says mayS3.
func operations() map[string]func(*call) error {
	return map[string]func(*call) error{
		"ListBuckets":             (*call).listBuckets,
		"CreateBucket":            (*call).createBucket,
		"DeleteBucket":            (*call).deleteBucket,
		"HeadBucket":              (*call).headBucket,
		"GetBucketLocation":       (*call).bucketLocation,
		"GetBucketEncryption":     (*call).bucketEncryption,
		"GetBucketVersioning":     (*call).bucketVersioning,
		"GetBucketAcl":            (*call).accessList,
		"GetObjectAcl":            (*call).accessList,
		"GetObjectTagging":        (*call).objectTags,
		"ListObjects":             (*call).listObjects,
		"ListObjectsV2":           (*call).listObjectsV2,
		"GetObject":               (*call).getObject,
		"HeadObject":              (*call).getObject,
		"PutObject":               (*call).putObject,
		"CopyObject":              (*call).copyObject,
		"DeleteObject":            (*call).deleteObject,
		"DeleteObjects":           (*call).deleteObjects,
		"CreateMultipartUpload":   (*call).createUpload,
		"UploadPart":              (*call).uploadPart,
		"UploadPartCopy":          (*call).uploadPartCopy,
		"CompleteMultipartUpload": (*call).completeUpload,
		"AbortMultipartUpload":    (*call).abortUpload,
		"ListParts":               (*call).listParts,
		"ListMultipartUploads":    (*call).listUploads,
	}
}

// handler answers one request.
func (st *Store) handler(gate *protocol.Gate, req *http.Request) protocol.Handler {
	c := &call{store: st, gate: gate, query: req.URL.Query()}
	bucket, key, err := st.bucketAndKey(req)
	c.bucket, c.key = bucket, key
	name, unknown := operationOf(req, c)
	return protocol.Handler{
		Operation: name,
		Fail:      func(a *protocol.Answer, err error) { c.Answer = a; c.fail(err) },
		Serve: func(a *protocol.Answer) error {
			c.Answer = a
			if err != nil {
				return protocol.Refuse("InvalidURI", "Couldn't parse the specified URI.")
			}
			if unknown != "" {
				return protocol.Fail(http.StatusNotImplemented, "NotImplemented", "the local region does not implement "+unknown)
			}
			if err := c.identify(); err != nil {
				return err
			}
			return operations()[name](c)
		},
	}
}

// bucketAndKey takes the address apart: path-style, or the bucket in front of the host.
func (st *Store) bucketAndKey(req *http.Request) (bucket, key string, err error) {
	path := strings.TrimPrefix(protocol.RawPath(req), "/")
	if bucket = st.bucketOfHost(req.Host); bucket == "" {
		bucket, path, _ = strings.Cut(path, "/")
		if bucket, err = url.PathUnescape(bucket); err != nil {
			return "", "", err
		}
	}
	key, err = url.PathUnescape(path)
	return bucket, key, err
}

// bucketOfHost is the bucket of a virtual-hosted address: <bucket>.localhost, or an existing bucket's name and a dot.
func (st *Store) bucketOfHost(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		return ""
	}
	if b, ok := strings.CutSuffix(host, ".localhost"); ok {
		return b
	}
	for i := range len(host) {
		if host[i] == '.' && st.bucketExists(host[:i]) {
			return host[:i]
		}
	}
	return ""
}

// identify authenticates the caller and checks whether it may.
func (c *call) identify() error {
	req := c.Request
	declared := req.Header.Get("X-Amz-Content-Sha256")
	signed := req.Header.Get("Authorization") != ""
	if signed && declared == "" {
		return protocol.Refuse("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	}
	if declared == "" {
		declared = unsignedPayload
	}
	who, err := c.gate.Authenticate(req, "s3", declared)
	if err != nil {
		return err
	}
	if owner := req.Header.Get("X-Amz-Expected-Bucket-Owner"); owner != "" && owner != protocol.Account {
		return protocol.Deny("Access Denied")
	}
	c.who, c.Who = who, who.Name()
	if !c.store.allows(who.Caller, c.Operation, c.bucket) {
		return protocol.Deny("Access Denied")
	}
	return nil
}

// public tells whether a bucket's objects may be read without a signature: those that releases are served from.
func (st *Store) public(bucket string) bool {
	return bucket == regions.Bucket(st.region) || bucket == regions.GlobalBucket
}

// allows is the one rule of access: the administrator everything; all callers may read objects of the public buckets; nodes may
// keep objects (the output of commands) in the others, where none of another writer is.
func (st *Store) allows(c protocol.Caller, operation, bucket string) bool {
	if c.Administrator {
		return true
	}
	if st.public(bucket) {
		switch operation {
		case "GetObject", "HeadObject", "HeadBucket", "GetBucketLocation":
			return true
		}
		return false
	}
	if !protocol.Node(c) {
		return false
	}
	switch operation {
	case "ListBuckets", "CreateBucket", "DeleteBucket", "DeleteObject", "DeleteObjects":
		return false
	}
	return true
}

// fail writes an error of S3. A body that was announced without "Expect" is read first: many clients look for an answer
// only when they have sent all.
func (c *call) fail(err error) {
	f := c.gate.Fault(c.Answer, err, refusals)
	if f.Code == "InternalServerError" {
		f.Code = "InternalError" // its name in S3
	}
	if c.Status != 0 {
		panic(http.ErrAbortHandler) // the answer is half written
	}
	if c.Request.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, c.Request.Body, 32<<20)
	}
	if c.bucket != "" && c.store.bucketExists(c.bucket) {
		c.Header().Set("x-amz-bucket-region", c.store.region)
	}
	out := errorBody{Code: f.Code, Message: f.Message, Resource: protocol.RawPath(c.Request), RequestID: c.ID, HostID: c.store.region}
	var no protocol.Refusal
	if errors.As(err, &no) && no.Reason == protocol.WrongRegion {
		out.Region = c.store.region
	}
	c.Header().Del("Content-Length")
	c.Header().Del("Content-Range")
	_ = c.writeXML(f.HTTPStatus(), out)
}

// errorBody is the error body of S3.
type errorBody struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Resource  string
	Region    string `xml:",omitempty"`
	RequestID string `xml:"RequestId"`
	HostID    string `xml:"HostId"`
}

// writeXML writes an answer; HEAD and 304 have no body.
func (c *call) writeXML(status int, out any) error {
	body, err := xml.Marshal(out)
	if err != nil {
		return err
	}
	h := c.Header()
	h.Set("x-amz-request-id", c.ID)
	h.Set("x-amz-id-2", c.store.region)
	if c.Request.Method == http.MethodHead || status == http.StatusNotModified {
		c.WriteHeader(status)
		return nil
	}
	c.WriteText(status, "application/xml", xml.Header+string(body))
	return nil
}

// done answers without a body.
func (c *call) done(status int) error {
	c.Header().Set("x-amz-request-id", c.ID)
	if status != http.StatusNoContent {
		c.Header().Set("Content-Length", "0")
	}
	c.WriteHeader(status)
	return nil
}
