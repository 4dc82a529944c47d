package local

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// Fault is an error answer of an operation, with its AWS code.
type Fault = protocol.Fault

// Ask performs an operation of Systems Manager as the region's administrator, out of this process: the same checks and errors as
// through the port, without a signature. in and out are the SDK's shapes. Errors: [Fault]; those of the file system.
//
// What changes something is in the log of calls; questions are not, or a page that asks would fill it.
func (r *Region) Ask(ctx context.Context, operation string, in, out any) error {
	r.serving.RLock()
	defer r.serving.RUnlock()
	if err := r.context.Err(); err != nil {
		return err // closed: the records are, too
	}
	began := time.Now()
	err := r.ask(ctx, operation, in, out)
	if !question(operation) {
		seen := Seen{At: r.now(), Operation: operation, Path: "/", Who: "administrator", Status: http.StatusOK, Took: time.Since(began)}
		var f Fault
		if errors.As(err, &f) {
			seen.Status, seen.Code = f.HTTPStatus(), f.Code
		} else if err != nil {
			seen.Status, seen.Code = http.StatusInternalServerError, "InternalServerError"
		}
		r.calls.see(seen)
		r.records.Signal(callsKey)
	}
	return err
}

// question tells whether an operation only reads.
func question(operation string) bool {
	return strings.HasPrefix(operation, "Describe") || strings.HasPrefix(operation, "List") || strings.HasPrefix(operation, "Get")
}

func (r *Region) ask(ctx context.Context, operation string, in, out any) error {
	o, ok := r.services[0].Table[operation]
	if !ok {
		return protocol.Refuse("UnknownOperationException", "the local region has no operation %s", operation)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL(), nil)
	if err != nil {
		return err
	}
	answer, err := o.Run(&protocol.Call{Caller: protocol.Caller{Administrator: true}, Body: body, Request: req})
	if err != nil || out == nil {
		return err
	}
	if body, err = json.Marshal(answer); err != nil {
		return err
	}
	return json.Unmarshal(body, out)
}
