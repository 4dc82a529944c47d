package local

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

func s3Name(local string) xml.Name { return xml.Name{Space: s3Namespace, Local: local} }

// isoTime is how S3 prints times in XML.
func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// owner is who owns everything here.
type owner struct{ ID, DisplayName string }

func (r *Region) owner() owner { return owner{ID: r.account, DisplayName: "administrator"} }

func (c *s3call) listBuckets() error {
	type entry struct{ Name, CreationDate, BucketRegion string }
	out := struct {
		XMLName xml.Name
		Owner   owner
		Buckets []entry `xml:"Buckets>Bucket"`
	}{XMLName: s3Name("ListAllMyBucketsResult"), Owner: c.region.owner()}
	prefix := c.query.Get("prefix")
	err := c.region.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketsBucket)).ForEach(func(k, v []byte) error {
			var b bucketRecord
			if err := json.Unmarshal(v, &b); err != nil {
				return err
			}
			if strings.HasPrefix(string(k), prefix) {
				out.Buckets = append(out.Buckets, entry{string(k), isoTime(b.Created), c.region.name})
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, out)
}

func (c *s3call) createBucket() error {
	body, err := c.readSmall(algorithmsOf(c.req.Header))
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) > 0 {
		var config struct{ LocationConstraint string }
		if err := xml.Unmarshal(body, &config); err != nil {
			return refuse("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
		}
		if l := config.LocationConstraint; l != "" && l != c.region.name {
			return refuse("IllegalLocationConstraintException", "The %s location constraint is incompatible for the region specific endpoint this request was sent to.", l)
		}
	}
	if !bucketName(c.bucket) {
		return refuse("InvalidBucketName", "The specified bucket is not valid.")
	}
	err = c.region.db.Update(func(tx *bbolt.Tx) error { return addBucket(tx, c.bucket, c.region.now().UTC()) })
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

func (c *s3call) deleteBucket() error {
	if c.region.public(c.bucket) {
		return refusal{denied, "Access Denied: this bucket is a part of the region"}
	}
	err := c.region.db.Update(func(tx *bbolt.Tx) error {
		b, err := objectsOf(tx, c.bucket)
		if err != nil {
			return err
		}
		if k, _ := b.Cursor().First(); k != nil {
			return fault{"BucketNotEmpty", "The bucket you tried to delete is not empty", http.StatusConflict}
		}
		if err := tx.Bucket([]byte(objectsBucket)).DeleteBucket([]byte(c.bucket)); err != nil {
			return err
		}
		return tx.Bucket([]byte(bucketsBucket)).Delete([]byte(c.bucket))
	})
	if err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

// exists refuses a bucket that is not there.
func (c *s3call) exists() error {
	return c.region.db.View(func(tx *bbolt.Tx) error {
		_, err := objectsOf(tx, c.bucket)
		return err
	})
}

func (c *s3call) headBucket() error {
	if err := c.exists(); err != nil {
		return err
	}
	c.Header().Set("x-amz-bucket-region", c.region.name)
	return c.done(http.StatusOK)
}

func (c *s3call) bucketLocation() error {
	if err := c.exists(); err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, struct {
		XMLName xml.Name
		Region  string `xml:",chardata"`
	}{s3Name("LocationConstraint"), c.region.name})
}

func (c *s3call) bucketEncryption() error {
	if err := c.exists(); err != nil {
		return err
	}
	return fault{"ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found", http.StatusNotFound}
}

func (c *s3call) bucketVersioning() error {
	if err := c.exists(); err != nil {
		return err
	}
	return c.writeXML(http.StatusOK, struct{ XMLName xml.Name }{s3Name("VersioningConfiguration")})
}

// accessList says that the owner may do everything.
func (c *s3call) accessList() error {
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
	}{XMLName: s3Name("AccessControlPolicy"), Owner: c.region.owner(), Permission: "FULL_CONTROL"}
	out.Grantee = grantee{"http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser", out.Owner.ID, out.Owner.DisplayName}
	return c.writeXML(http.StatusOK, out)
}
