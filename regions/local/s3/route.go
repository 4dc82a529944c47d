package s3

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// operationOf names what a request asks for; unknown is not empty when it cannot be done here.
func operationOf(req *http.Request, c *call) (name, unknown string) {
	for _, sub := range subresources() {
		if c.query.Has(sub) && !readable(req.Method, sub, c) {
			return "", req.Method + " ?" + sub
		}
	}
	if sub, found := c.unknownSubresource(); found {
		return "", req.Method + " ?" + sub
	}
	switch {
	case c.bucket == "":
		name = serviceOperation(req.Method)
	case c.key == "":
		name = bucketOperation(req.Method, c)
	default:
		name = objectOperation(req, c)
	}
	if name == "" {
		return "", req.Method + " " + protocol.RawPath(req)
	}
	return name, ""
}

// readable are the two subresources that can be read: access lists, and the tags of an object.
func readable(method, sub string, c *call) bool {
	return method == http.MethodGet && (sub == "acl" || sub == "tagging" && c.key != "")
}

// subresources are parts of S3 that are not here; without this list they would be taken for the object itself.
func subresources() []string {
	return []string{"accelerate", "acl", "analytics", "attributes", "cors", "intelligent-tiering", "inventory", "legal-hold",
		"lifecycle", "logging", "metadataTable", "metrics", "notification", "object-lock", "ownershipControls", "policy",
		"policyStatus", "publicAccessBlock", "replication", "requestPayment", "restore", "retention", "select", "session",
		"tagging", "torrent", "versionId", "versions", "website"}
}

func serviceOperation(method string) string {
	if method == http.MethodGet {
		return "ListBuckets"
	}
	return ""
}

func bucketOperation(method string, c *call) string {
	switch {
	case method == http.MethodHead:
		return "HeadBucket"
	case method == http.MethodDelete:
		return "DeleteBucket"
	case method == http.MethodPost && c.query.Has("delete"):
		return "DeleteObjects"
	case method == http.MethodPut && !c.query.Has("versioning") && !c.query.Has("encryption"):
		return "CreateBucket"
	case method != http.MethodGet:
		return ""
	}
	for _, row := range [][2]string{{"location", "GetBucketLocation"}, {"encryption", "GetBucketEncryption"},
		{"versioning", "GetBucketVersioning"}, {"uploads", "ListMultipartUploads"}, {"acl", "GetBucketAcl"}} {
		if c.query.Has(row[0]) {
			return row[1]
		}
	}
	if c.query.Get("list-type") == "2" {
		return "ListObjectsV2"
	}
	return "ListObjects"
}

func objectOperation(req *http.Request, c *call) string {
	upload := c.query.Has("uploadId")
	copying := req.Header.Get("X-Amz-Copy-Source") != ""
	switch req.Method {
	case http.MethodHead:
		return "HeadObject"
	case http.MethodGet:
		if c.query.Has("acl") {
			return "GetObjectAcl"
		}
		if c.query.Has("tagging") {
			return "GetObjectTagging"
		}
		return either(upload, "ListParts", "GetObject")
	case http.MethodDelete:
		return either(upload, "AbortMultipartUpload", "DeleteObject")
	case http.MethodPut:
		if upload {
			return either(copying, "UploadPartCopy", "UploadPart")
		}
		return either(copying, "CopyObject", "PutObject")
	case http.MethodPost:
		if c.query.Has("uploads") {
			return "CreateMultipartUpload"
		}
		return either(upload, "CompleteMultipartUpload", "")
	}
	return ""
}

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// unknownSubresource is a parameter without a value, as clients name parts of S3, that means nothing here.
func (c *call) unknownSubresource() (name string, found bool) {
	known := []string{"uploads", "delete", "location", "encryption", "versioning", "acl", "tagging", "list-type", "prefix", "delimiter",
		"marker",
		"encoding-type", "start-after", "continuation-token", "fetch-owner", "key-marker", "upload-id-marker", "uploadId"}
	for _, name := range slices.Sorted(maps.Keys(c.query)) {
		if c.query.Get(name) == "" && !slices.Contains(known, name) && !strings.HasPrefix(name, "X-Amz-") {
			return name, true
		}
	}
	return "", false
}

// refuseUnknown refuses an upload that asks for something that would not be kept.
func (c *call) refuseUnknown() error {
	for name := range c.Request.Header {
		switch lower := strings.ToLower(name); {
		case lower == "x-amz-tagging", strings.HasPrefix(lower, "x-amz-object-lock-"),
			strings.HasPrefix(lower, "x-amz-server-side-encryption-customer-"), strings.HasPrefix(lower, "x-amz-grant-"):
			return protocol.Fail(http.StatusNotImplemented, "NotImplemented", "the local region does not implement the header "+lower)
		}
	}
	return nil
}
