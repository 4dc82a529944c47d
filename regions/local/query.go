package local

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// queryProtocol serves sts: Action=… in the form or the query, XML back.
func (r *Region) queryProtocol(a *answer) protocol {
	name := ""
	readErr := a.readBody()
	if form, err := url.ParseQuery(string(a.body) + "&" + a.req.URL.RawQuery); err == nil {
		name = form.Get("Action")
	}
	return protocol{
		operation: name,
		fail:      r.failQuery,
		serve: func(a *answer) error {
			if readErr != nil {
				return readErr
			}
			service := r.services["sts"]
			o, ok := service.operations[name]
			if !ok {
				return refuse("UnknownOperationException", "the local region has no operation %s", name)
			}
			out, err := r.perform(a, service.signing, o)
			if err != nil {
				return err
			}
			return a.writeQuery(name, out)
		},
	}
}

// writeQuery wraps a result as the query protocol does.
func (a *answer) writeQuery(action string, out any) error {
	var inner bytes.Buffer
	enc := xml.NewEncoder(&inner)
	if err := enc.EncodeElement(out, xml.StartElement{Name: xml.Name{Local: action + "Result"}}); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("<" + action + `Response xmlns="` + stsNamespace + `">`)
	b.Write(inner.Bytes())
	b.WriteString("<ResponseMetadata><RequestId>" + a.id + "</RequestId></ResponseMetadata></" + action + "Response>")
	a.writeText(http.StatusOK, "text/xml", b.String())
	return nil
}

func (r *Region) failQuery(a *answer, err error) {
	f := r.faultOf(a, err, queryRefusals)
	kind := "Sender"
	if f.status() >= 500 {
		kind = "Receiver"
	}
	out := struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Type    string   `xml:"Error>Type"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
		ID      string   `xml:"RequestId"`
	}{Type: kind, Code: f.Code, Message: f.Message, ID: a.id}
	body, _ := xml.Marshal(out)
	a.writeText(f.status(), "text/xml", string(body))
}

func (a *answer) writeText(status int, contentType, body string) {
	h := a.Header()
	h.Set("Content-Type", contentType)
	h.Set("x-amzn-RequestId", a.id)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	a.WriteHeader(status)
	_, _ = a.Write([]byte(body))
}
