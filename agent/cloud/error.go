package cloud

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Codes that do not come from a service.
const (
	RequestError       = "RequestError"       // no answer: name lookup, connection, TLS, timeout
	SerializationError = "SerializationError" // an answer with status 200 that is not the JSON it must be
	UnknownError       = "UnknownError"       // an error answer without a code, for example a proxy's HTML page
)

// Error is what a service answered, or why it could not ("AWS error" in the spec's words).
type Error struct {
	Code      string // for example InvalidActivation, AccessDeniedException, RequestError
	Message   string
	RequestID string    // header x-amzn-RequestId; empty without an answer
	Status    int       // HTTP status; 0 without an answer
	Region    string    // S3: header x-amz-bucket-region when the object lies elsewhere
	date      time.Time // header Date; zero without
	cause     error
}

// Error is "<Code>: <Message>", the form people search for (docs/protocol/identity.md, "Register steps").
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap gives the transport's error, if there is one.
func (e *Error) Unwrap() error { return e.cause }

// Kind is one of manifests/fault: no answer, or a service in trouble, is a matter of the region; a no is the service's refusal.
func (e *Error) Kind() string {
	if e.Status == 0 || e.Status >= 500 || e.Code == SerializationError {
		return string(fault.Region)
	}
	return string(fault.Refused)
}

// Hint is the next step where the certificate of what answers is not believed; empty otherwise.
func (e *Error) Hint() string {
	var unknown x509.UnknownAuthorityError
	if !errors.As(e.cause, &unknown) {
		return ""
	}
	return "where a proxy opens TLS connections, or a region has an authority of its own: set AWS_CA_BUNDLE to the file of its certificate"
}

// ErrNoCredentials says that a request was not sent because there was nothing to sign it with; the provider's error, which
// may be an [*Error] of another request, is in the chain.
var ErrNoCredentials = errors.New("no credentials")

// Code is the code of an [*Error] in err's chain, else empty.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Timeout tells whether the client's own time limit ended the request.
func Timeout(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &n) && n.Timeout())
}

func transportError(err error) *Error {
	return &Error{Code: RequestError, Message: "send request failed: " + err.Error(), cause: err}
}

// throttles and expirations are the codes worth another attempt besides 5xx and 429 (docs/protocol/runcommand.md, "Transport
// of ec2messages").
var throttles = []string{
	"BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete",
	"ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException",
	"RequestTimeout", "RequestTimeoutException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException",
	"TooManyRequestsException", "TransactionInProgressException",
}

var expirations = []string{"ExpiredToken", "ExpiredTokenException", "RequestExpired"}

// Throttled tells whether a service asked for fewer requests.
func Throttled(err error) bool { return slices.Contains(throttles, Code(err)) }

func expired(err error) bool { return slices.Contains(expirations, Code(err)) }

// unknownKey tells credentials that the service never issued or took back: cached ones are worthless then.
func unknownKey(err error) bool {
	return slices.Contains([]string{"UnrecognizedClientException", "InvalidClientTokenId"}, Code(err))
}

// retryable: transport errors, 5xx but 501, 429, throttling, expired credentials.
func retryable(err error) bool {
	var e *Error
	if errors.Is(err, ErrNoCredentials) || !errors.As(err, &e) {
		return false
	}
	switch {
	case e.Code == RequestError, e.Status == 429, e.Status >= 500 && e.Status != 501:
		return true
	}
	return Throttled(e) || expired(e)
}

// describe is one line for the log, with what an AWS support case asks for.
func describe(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Status != 0 {
		return fmt.Sprintf("%v (status %d, request id %s)", e, e.Status, e.RequestID)
	}
	return err.Error()
}
