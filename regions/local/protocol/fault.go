package protocol

import (
	"fmt"
	"net/http"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Fault is an error answer with its AWS code.
type Fault struct {
	Code    string
	Message string
	Status  int // 0: 400
}

func (f Fault) Error() string { return f.Code + ": " + f.Message }

// HTTPStatus is the status of the answer.
func (f Fault) HTTPStatus() int {
	if f.Status == 0 {
		return http.StatusBadRequest
	}
	return f.Status
}

func (f Fault) wire() wire.Error { return wire.Error{Code: f.Code, Message: f.Message} }

// Refuse makes a fault with status 400.
func Refuse(code, format string, args ...any) Fault {
	return Fault{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Fail makes a fault with another status.
func Fail(status int, code, message string) Fault {
	return Fault{Code: code, Message: message, Status: status}
}

// NotFound is the error of a look-up that found nothing: err where the look-up itself failed.
func NotFound(err error, missing Fault) error {
	if err != nil {
		return err
	}
	return missing
}
