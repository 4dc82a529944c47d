package s3

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

func inNamespace(local string) xml.Name { return xml.Name{Space: namespace, Local: local} }

// isoTime is how S3 prints times in XML.
func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// owner is who owns everything here.
type owner struct{ ID, DisplayName string }

func administrator() owner { return owner{ID: protocol.Account, DisplayName: "administrator"} }

func (c *call) listBuckets() error {
	type entry struct{ Name, CreationDate, BucketRegion string }
	out := struct {
		XMLName xml.Name
		Owner   owner
		Buckets []entry `xml:"Buckets>Bucket"`
	}{XMLName: inNamespace("ListAllMyBucketsResult"), Owner: administrator()}
	prefix := c.query.Get("prefix")
	err := c.store.records.View(func(tx *records.Tx) error {
		return records.Each(tx, bucketsTable, prefix, func(name string, b bucketRecord) bool {
			out.Buckets = append(out.Buckets, entry{name, isoTime(b.Created), c.store.region})
			return false
		})
	})
	if err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, out)
}

func (c *call) createBucket() error {
	body, err := c.readSmall(algorithmsOf(c.Request.Header))
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) > 0 {
		var config struct{ LocationConstraint string }
		if err := xml.Unmarshal(body, &config); err != nil {
			return protocol.Refuse("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
		}
		if l := config.LocationConstraint; l != "" && l != c.store.region {
			return protocol.Refuse("IllegalLocationConstraintException",
				"The %s location constraint is incompatible for the region specific endpoint this request was sent to.", l)
		}
	}
	if !bucketName(c.bucket) {
		return protocol.Refuse("InvalidBucketName", "The specified bucket is not valid.")
	}
	err = c.store.records.Update(func(tx *records.Tx) error { return addBucket(tx, c.bucket, c.store.now().UTC()) })
	if err != nil {
		return err
	}
	c.Header().Set("Location", "/"+c.bucket)
	return c.done(http.StatusOK)
}

// bucketName tells whether a bucket may be called so.
func bucketName(name string) bool {
	if len(name) < 3 || len(name) > 63 || strings.Contains(name, "..") || strings.Trim(name, "-.") != name {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

func (c *call) deleteBucket() error {
	if c.store.public(c.bucket) {
		return protocol.Deny("Access Denied: this bucket is a part of the region")
	}
	err := c.store.records.Update(func(tx *records.Tx) error {
		objects, err := objectsOf(tx, c.bucket)
		if err != nil {
			return err
		}
		if _, any := records.First(tx, objects); any {
			return protocol.Fail(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
		}
		if err := records.Drop(tx, objects); err != nil {
			return err
		}
		return records.Remove(tx, bucketsTable, c.bucket)
	})
	if err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

// exists refuses a bucket that is not there.
func (c *call) exists() error {
	return c.store.records.View(func(tx *records.Tx) error {
		_, err := objectsOf(tx, c.bucket)
		return err
	})
}

func (c *call) headBucket() error {
	if err := c.exists(); err != nil {
		return err
	}
	c.Header().Set("x-amz-bucket-region", c.store.region)
	return c.done(http.StatusOK)
}

func (c *call) bucketLocation() error {
	if err := c.exists(); err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, struct {
		XMLName xml.Name
		Region  string `xml:",chardata"`
	}{inNamespace("LocationConstraint"), c.store.region})
}

func (c *call) bucketEncryption() error {
	if err := c.exists(); err != nil {
		return err
	}
	return protocol.Fail(http.StatusNotFound, "ServerSideEncryptionConfigurationNotFoundError",
		"The server side encryption configuration was not found")
}

func (c *call) bucketVersioning() error {
	if err := c.exists(); err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, struct{ XMLName xml.Name }{inNamespace("VersioningConfiguration")})
}

// accessList says that the owner may do everything.
func (c *call) accessList() error {
	if err := c.exists(); err != nil {
		return err
	}
	type grantee struct {
		NS          string `xml:"xmlns:xsi,attr"`
		Type        string `xml:"xsi:type,attr"`
		ID          string
		DisplayName string
	}
	out := struct {
		XMLName    xml.Name
		Owner      owner
		Grantee    grantee `xml:"AccessControlList>Grant>Grantee"`
		Permission string  `xml:"AccessControlList>Grant>Permission"`
	}{XMLName: inNamespace("AccessControlPolicy"), Owner: administrator(), Permission: "FULL_CONTROL"}
	out.Grantee = grantee{"http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser", out.Owner.ID, out.Owner.DisplayName}
	return c.writeXML(http.StatusOK, out)
}
