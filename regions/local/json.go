package local

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// maxBody is the most the JSON and query protocols read of a request.
const maxBody = 4 << 20

// jsonProtocol serves an X-Amz-Target, "<prefix>.<operation>".
func (r *Region) jsonProtocol(target string) protocol {
	prefix, name, _ := strings.Cut(target, ".")
	service, known := r.services[prefix]
	operation, found := service.operations[name]
	return protocol{
		operation: name,
		fail:      r.failJSON,
		serve: func(a *answer) error {
			if err := a.readBody(); err != nil {
				return err
			}
			if !known || !found {
				return refuse("UnknownOperationException", "the local region has no operation %s", target)
			}
			out, err := r.perform(a, service.signing, operation)
			if err != nil {
				return err
			}
			return a.writeJSON(http.StatusOK, out)
		},
	}
}

// perform checks who asks and runs an operation.
func (r *Region) perform(a *answer, signing string, o operation) (any, error) {
	who, err := r.authenticate(a.req, signing, hexSum(a.body))
	if err != nil {
		return nil, err
	}
	if !o.allow(who.caller) {
		if who.anonymous {
			return nil, refusal{missing, "Missing Authentication Token"}
		}
		return nil, refusal{denied, "User: " + r.arn(who.caller) + " is not authorized to perform: " + signing + ":" + a.operation}
	}
	return o.run(&call{ctx: a.req.Context(), region: r, caller: who.caller, body: a.body, http: a.req})
}

// arn names a caller.
func (r *Region) arn(c caller) string {
	switch {
	case c.anonymous:
		return "anonymous"
	case c.administrator:
		return "arn:aws:iam::" + r.account + ":user/administrator"
	}
	return "arn:aws:sts::" + r.account + ":assumed-role/node/" + c.instanceID
}

// readBody reads the request's body, at most maxBody bytes.
func (a *answer) readBody() error {
	body, err := io.ReadAll(io.LimitReader(a.req.Body, maxBody+1))
	if err != nil {
		return refuse("SerializationException", "read body: %v", err)
	}
	if len(body) > maxBody {
		return fault{"RequestEntityTooLargeException", "the request is larger than 4 MiB", http.StatusRequestEntityTooLarge}
	}
	a.body = body
	return nil
}

// writeJSON writes an answer; nil is {}.
func (a *answer) writeJSON(status int, out any) error {
	if out == nil {
		out = struct{}{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return err
	}
	body := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	h := a.Header()
	h.Set("Content-Type", wire.ContentType)
	h.Set("x-amzn-RequestId", a.id)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	a.WriteHeader(status)
	_, _ = a.Write(body) // the client may be gone
	return nil
}

// failJSON writes an error of the JSON 1.1 protocol.
func (r *Region) failJSON(a *answer, err error) {
	f := r.faultOf(a, err, jsonRefusals)
	a.Header().Set("x-amzn-ErrorType", f.Code)
	_ = a.writeJSON(f.status(), f.wire())
}

// faultOf turns any error into what the client sees; what is no fault is the region's own failure and logged.
func (r *Region) faultOf(a *answer, err error, codes func(reason) codeOf) fault {
	var f fault
	var no refusal
	switch {
	case errors.As(err, &f):
	case errors.As(err, &no):
		c := codes(no.reason)
		f = fault{Code: c.code, Message: no.message, Status: c.status}
	default:
		f = fault{"InternalServerError", "internal failure", http.StatusInternalServerError}
		if a.req.Context().Err() == nil {
			r.log.Error("operation failed", "operation", a.operation, "error", err)
		}
	}
	a.code = f.Code
	return f
}
