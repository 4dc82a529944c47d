package local

import (
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions"
)

// s3call is one request to the bucket part of a region.
type s3call struct {
	*answer
	region *Region
	who    proof
	bucket string
	key    string
	query  url.Values
}

// s3Operations are what S3 can do here; who may do it says mayS3.
func s3Operations() map[string]func(*s3call) error {
	return map[string]func(*s3call) error{
		"ListBuckets":             (*s3call).listBuckets,
		"CreateBucket":            (*s3call).createBucket,
		"DeleteBucket":            (*s3call).deleteBucket,
		"HeadBucket":              (*s3call).headBucket,
		"GetBucketLocation":       (*s3call).bucketLocation,
		"GetBucketEncryption":     (*s3call).bucketEncryption,
		"GetBucketVersioning":     (*s3call).bucketVersioning,
		"GetBucketAcl":            (*s3call).accessList,
		"GetObjectAcl":            (*s3call).accessList,
		"GetObjectTagging":        (*s3call).objectTags,
		"ListObjects":             (*s3call).listObjects,
		"ListObjectsV2":           (*s3call).listObjectsV2,
		"GetObject":               (*s3call).getObject,
		"HeadObject":              (*s3call).getObject,
		"PutObject":               (*s3call).putObject,
		"CopyObject":              (*s3call).copyObject,
		"DeleteObject":            (*s3call).deleteObject,
		"DeleteObjects":           (*s3call).deleteObjects,
		"CreateMultipartUpload":   (*s3call).createUpload,
		"UploadPart":              (*s3call).uploadPart,
		"UploadPartCopy":          (*s3call).uploadPartCopy,
		"CompleteMultipartUpload": (*s3call).completeUpload,
		"AbortMultipartUpload":    (*s3call).abortUpload,
		"ListParts":               (*s3call).listParts,
		"ListMultipartUploads":    (*s3call).listUploads,
	}
}

// s3Protocol serves everything that is neither JSON nor sts.
func (r *Region) s3Protocol(req *http.Request) protocol {
	c := &s3call{region: r, query: req.URL.Query()}
	bucket, key, err := r.bucketAndKey(req)
	c.bucket, c.key = bucket, key
	name, unknown := s3Operation(req, c)
	return protocol{
		operation: name,
		fail:      func(a *answer, err error) { c.answer = a; c.fail(err) },
		serve: func(a *answer) error {
			c.answer = a
			if err != nil {
				return fault{"InvalidURI", "Couldn't parse the specified URI.", http.StatusBadRequest}
			}
			if unknown != "" {
				return fault{"NotImplemented", "the local region does not implement " + unknown, http.StatusNotImplemented}
			}
			if err := c.identify(); err != nil {
				return err
			}
			return s3Operations()[name](c)
		},
	}
}

// bucketAndKey takes the address apart: path-style, or the bucket in front of the host.
func (r *Region) bucketAndKey(req *http.Request) (bucket, key string, err error) {
	path := strings.TrimPrefix(rawPath(req), "/")
	if bucket = r.bucketOfHost(req.Host); bucket == "" {
		bucket, path, _ = strings.Cut(path, "/")
		if bucket, err = url.PathUnescape(bucket); err != nil {
			return "", "", err
		}
	}
	key, err = url.PathUnescape(path)
	return bucket, key, err
}

// bucketOfHost is the bucket of a virtual-hosted address: <bucket>.localhost, or an existing bucket's name and a dot.
func (r *Region) bucketOfHost(host string) string {
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
		if host[i] == '.' && r.bucketExists(host[:i]) {
			return host[:i]
		}
	}
	return ""
}

// identify authenticates the caller and checks whether it may.
func (c *s3call) identify() error {
	req := c.req
	declared := req.Header.Get("X-Amz-Content-Sha256")
	signed := req.Header.Get("Authorization") != ""
	if signed && declared == "" {
		return refuse("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	}
	if declared == "" {
		declared = unsignedPayload
	}
	who, err := c.region.authenticate(req, "s3", declared)
	if err != nil {
		return err
	}
	if name, found := unsignedHeader(req); signed && found {
		return refusal{denied, "There were headers present in the request which were not signed: " + name}
	}
	if owner := req.Header.Get("X-Amz-Expected-Bucket-Owner"); owner != "" && owner != c.region.account {
		return refusal{denied, "Access Denied"}
	}
	c.who = who
	if !c.region.mayS3(who.caller, c.operation, c.bucket) {
		return refusal{denied, "Access Denied"}
	}
	return nil
}

// public tells whether anybody may read a bucket's objects: those that releases are served from.
func (r *Region) public(bucket string) bool {
	return bucket == regions.Bucket(r.name) || bucket == regions.GlobalBucket
}

// mayS3 is the one rule of access: the administrator everything; anybody may read objects of the public buckets; nodes may
// keep objects (the output of commands) in the others.
func (r *Region) mayS3(c caller, operation, bucket string) bool {
	if c.administrator {
		return true
	}
	if r.public(bucket) {
		switch operation {
		case "GetObject", "HeadObject", "HeadBucket", "GetBucketLocation":
			return true
		}
		return false
	}
	if !node(c) {
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
func (c *s3call) fail(err error) {
	f := c.region.faultOf(c.answer, err, s3Refusals)
	if f.Code == "InternalServerError" {
		f.Code = "InternalError" // its name in S3
	}
	if c.status != 0 {
		panic(http.ErrAbortHandler) // the answer is half written
	}
	if c.req.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, c.req.Body, 32<<20)
	}
	if c.bucket != "" && c.region.bucketExists(c.bucket) {
		c.Header().Set("x-amz-bucket-region", c.region.name)
	}
	out := s3Error{Code: f.Code, Message: f.Message, Resource: rawPath(c.req), RequestID: c.id, HostID: c.region.name}
	var no refusal
	if errors.As(err, &no) && no.reason == wrongRegion {
		out.Region = c.region.name
	}
	c.Header().Del("Content-Length")
	c.Header().Del("Content-Range")
	_ = c.writeXML(f.status(), out)
}

// s3Error is the error body of S3.
type s3Error struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Resource  string
	Region    string `xml:",omitempty"`
	RequestID string `xml:"RequestId"`
	HostID    string `xml:"HostId"`
}

// writeXML writes an answer; HEAD and 304 have no body.
func (c *s3call) writeXML(status int, out any) error {
	body, err := xml.Marshal(out)
	if err != nil {
		return err
	}
	h := c.Header()
	h.Set("x-amz-request-id", c.id)
	h.Set("x-amz-id-2", c.region.name)
	if c.req.Method == http.MethodHead || status == http.StatusNotModified {
		c.WriteHeader(status)
		return nil
	}
	c.writeText(status, "application/xml", xml.Header+string(body))
	return nil
}

// done answers without a body.
func (c *s3call) done(status int) error {
	c.Header().Set("x-amz-request-id", c.id)
	if status != http.StatusNoContent {
		c.Header().Set("Content-Length", "0")
	}
	c.WriteHeader(status)
	return nil
}
