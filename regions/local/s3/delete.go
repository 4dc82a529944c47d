package s3

import (
	"encoding/xml"
	"errors"
	"net/http"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// deleteObjects removes up to 1000 objects, each for itself.
func (c *call) deleteObjects() error {
	body, err := c.readSmall(algorithmsOf(c.Request.Header))
	if err != nil {
		return err
	}
	var in struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Object  []struct{ Key string }
	}
	if xml.Unmarshal(body, &in) != nil || len(in.Object) == 0 || len(in.Object) > 1000 {
		return protocol.Refuse("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	if err := c.exists(); err != nil {
		return err
	}
	type deleted struct{ Key string }
	type failed struct{ Key, Code, Message string }
	out := struct {
		XMLName xml.Name
		Deleted []deleted
		Error   []failed
	}{XMLName: inNamespace("DeleteResult")}
	for _, o := range in.Object {
		err := c.store.deleteRecord(c.bucket, o.Key, unconditional)
		var f protocol.Fault
		switch {
		case errors.As(err, &f):
			out.Error = append(out.Error, failed{o.Key, f.Code, f.Message})
		case err != nil:
			return err
		case !in.Quiet:
			out.Deleted = append(out.Deleted, deleted{o.Key})
		}
	}
	return c.writeXML(http.StatusOK, out)
}
