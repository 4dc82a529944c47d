package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// caller is who asks, as far as the signature proves it.
type caller struct {
	anonymous     bool   // nothing was signed
	administrator bool   // the credentials in the data folder
	instanceID    string // role credentials issued to that node, or proven by its key
	hybrid        bool   // signed with the node's own key (RSA-PSS): instanceID holds it
	accessKey     string
}

// Rules of operations.
func anybody(caller) bool         { return true }
func administrator(c caller) bool { return c.administrator }

// node allows role credentials of a node.
func node(c caller) bool { return c.instanceID != "" && !c.hybrid }

// nodeKeyHolder allows what a node signed with its own key.
func nodeKeyHolder(c caller) bool { return c.hybrid && c.instanceID != "" }

// call is one request to an operation.
type call struct {
	ctx    context.Context // ends with the connection or the region
	region *Region
	caller caller
	body   []byte
	http   *http.Request
}

// operation is one row of a service's table.
type operation struct {
	allow func(caller) bool // who may; others get AccessDeniedException
	run   func(*call) (any, error)
}

// decode reads the request's JSON; keys match without regard to case, unknown ones are ignored, an empty body is {}.
func (c *call) decode(into any) error {
	body := bytes.TrimSpace(c.body)
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fault{Code: "SerializationException", Message: err.Error()}
	}
	return nil
}

// fault is an error answer with its AWS code.
type fault struct {
	Code    string
	Message string
	Status  int // 0: 400
}

func (f fault) Error() string { return f.Code + ": " + f.Message }

func (f fault) status() int {
	if f.Status == 0 {
		return http.StatusBadRequest
	}
	return f.Status
}

func (f fault) wire() wire.Error { return wire.Error{Code: f.Code, Message: f.Message} }

// refuse makes a fault with status 400.
func refuse(code, format string, args ...any) fault {
	return fault{Code: code, Message: fmt.Sprintf(format, args...)}
}
