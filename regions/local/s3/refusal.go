package s3

import (
	"net/http"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// refusals are the codes of S3 for a signature that is refused.
func refusals(why protocol.Reason) (code string, status int) {
	switch why {
	case protocol.Malformed, protocol.WrongRegion, protocol.WrongService:
		return "AuthorizationHeaderMalformed", http.StatusBadRequest
	case protocol.UnknownKey, protocol.UnknownNode:
		return "InvalidAccessKeyId", http.StatusForbidden
	case protocol.BadSignature:
		return "SignatureDoesNotMatch", http.StatusForbidden
	case protocol.BadToken:
		return "InvalidToken", http.StatusBadRequest
	case protocol.Expired:
		return "ExpiredToken", http.StatusBadRequest
	case protocol.Skewed:
		return "RequestTimeTooSkewed", http.StatusForbidden
	default:
		return "AccessDenied", http.StatusForbidden
	}
}
