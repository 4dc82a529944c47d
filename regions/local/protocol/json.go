package protocol

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// JSON is a service of AWS JSON 1.1 whose requests carry X-Amz-Target "<target>.<operation>".
func (g *Gate) JSON(signing, target string, table Operations) Service {
	return Service{Name: signing, Operations: table.names(), Table: table, Claim: func(a *Answer) (Handler, bool) {
		name, ours := strings.CutPrefix(a.Request.Header.Get("X-Amz-Target"), target+".")
		operation, found := table[name]
		if !ours || !found {
			return Handler{}, false
		}
		return Handler{Operation: name, Fail: g.failJSON, Serve: func(a *Answer) error {
			if err := g.readBody(a); err != nil {
				return err
			}
			out, err := g.perform(a, signing, operation)
			if err != nil {
				return err
			}
			return a.writeJSON(http.StatusOK, out)
		}}, true
	}}
}

// operationOf is the name of the operation in a target.
func operationOf(target string) string {
	_, name, _ := strings.Cut(target, ".")
	return name
}

// writeJSON writes an answer; nil is {}.
func (a *Answer) writeJSON(status int, out any) error {
	if out == nil {
		out = struct{}{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return err
	}
	a.WriteText(status, wire.ContentType, string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))))
	return nil
}

// failJSON writes an error of the JSON 1.1 protocol.
func (g *Gate) failJSON(a *Answer, err error) {
	f := g.Fault(a, err, jsonRefusals)
	a.Header().Set("x-amzn-ErrorType", f.Code)
	_ = a.writeJSON(f.HTTPStatus(), f.wire())
}
