package protocol

import "net/http"

// Reason is why a signature is refused; each protocol has its own code for it.
type Reason int

// The reasons.
const (
	Missing      Reason = iota // not signed
	Malformed                  // not readable as SigV4
	UnknownKey                 // not issued here
	UnknownNode                // hybrid: no such node
	BadSignature               // does not verify
	BadToken                   // session token missing or wrong
	Expired                    // temporary credentials are past their time
	Outdated                   // presigned request is past its time
	Skewed                     // time of the signature is out of the window
	WrongRegion
	WrongService
	NotSigned // a header that the signature must cover and does not
	Denied    // proven, but not allowed
)

// Refusal is a reason and its text.
type Refusal struct {
	Reason  Reason
	Message string
}

func (r Refusal) Error() string { return r.Message }

// Deny refuses a caller who is known.
func Deny(message string) Refusal { return Refusal{Denied, message} }

// jsonRefusals are the codes of the AWS JSON 1.1 services; all have status 400.
func jsonRefusals(why Reason) (code string, status int) {
	switch why {
	case Missing:
		code = "MissingAuthenticationTokenException"
	case Malformed:
		code = "IncompleteSignatureException"
	case UnknownKey, BadToken:
		code = "UnrecognizedClientException"
	case UnknownNode:
		code = "InvalidInstanceId"
	case Expired:
		code = "ExpiredTokenException"
	case Denied:
		code = "AccessDeniedException"
	default:
		code = "InvalidSignatureException"
	}
	return code, http.StatusBadRequest
}

// queryRefusals are the codes of the query protocol.
func queryRefusals(why Reason) (code string, status int) {
	switch why {
	case Missing:
		return "MissingAuthenticationToken", http.StatusForbidden
	case Malformed:
		return "IncompleteSignature", http.StatusBadRequest
	case UnknownKey, UnknownNode, BadToken:
		return "InvalidClientTokenId", http.StatusForbidden
	case Expired:
		return "ExpiredToken", http.StatusForbidden
	case Denied:
		return "AccessDenied", http.StatusForbidden
	default:
		return "SignatureDoesNotMatch", http.StatusForbidden
	}
}
