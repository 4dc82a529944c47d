package protocol

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
)

// Query is a service of the query protocol: Action=<operation> in the form or the query of a request for "/", XML of a namespace
// back. It claims the actions of its table.
func (g *Gate) Query(signing, namespace string, table Operations) Service {
	return Service{Name: signing, Operations: table.names(), Claim: func(a *Answer) (Handler, bool) {
		if !isQuery(a.Request) {
			return Handler{}, false
		}
		name := g.action(a)
		operation, found := table[name]
		if !found {
			return Handler{}, false
		}
		return Handler{Operation: name, Fail: g.failQuery, Serve: func(a *Answer) error {
			if err := g.readBody(a); err != nil {
				return err
			}
			out, err := g.perform(a, signing, operation)
			if err != nil {
				return err
			}
			return a.writeQuery(namespace, name, out)
		}}, true
	}}
}

// isQuery tells requests of the query protocol from those for a list of buckets.
func isQuery(req *http.Request) bool {
	if req.URL.Path != "/" || req.Header.Get("X-Amz-Target") != "" {
		return false
	}
	form := strings.HasPrefix(req.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
	return req.Method == http.MethodPost && form || strings.Contains("&"+req.URL.RawQuery, "&Action=")
}

// action is the operation that a request of the query protocol names; its body is read for it.
func (g *Gate) action(a *Answer) string {
	_ = g.readBody(a) // the error is told when the request is served
	form, err := url.ParseQuery(string(a.Body) + "&" + a.Request.URL.RawQuery)
	if err != nil {
		return ""
	}
	return form.Get("Action")
}

// writeQuery wraps a result as the query protocol does.
func (a *Answer) writeQuery(namespace, action string, out any) error {
	var inner bytes.Buffer
	enc := xml.NewEncoder(&inner)
	if err := enc.EncodeElement(out, xml.StartElement{Name: xml.Name{Local: action + "Result"}}); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("<" + action + `Response xmlns="` + namespace + `">`)
	b.Write(inner.Bytes())
	b.WriteString("<ResponseMetadata><RequestId>" + a.ID + "</RequestId></ResponseMetadata></" + action + "Response>")
	a.WriteText(http.StatusOK, "text/xml", b.String())
	return nil
}

func (g *Gate) failQuery(a *Answer, err error) {
	f := g.Fault(a, err, queryRefusals)
	kind := "Sender"
	if f.HTTPStatus() >= 500 {
		kind = "Receiver"
	}
	out := struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Type    string   `xml:"Error>Type"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
		ID      string   `xml:"RequestId"`
	}{Type: kind, Code: f.Code, Message: f.Message, ID: a.ID}
	body, _ := xml.Marshal(out)
	a.WriteText(f.HTTPStatus(), "text/xml", string(body))
}
