package local

import "net/http"

// codeOf is the error code and status of a refusal.
type codeOf struct {
	code   string
	status int
}

// jsonRefusals are the codes of the AWS JSON 1.1 services.
func jsonRefusals(why reason) codeOf {
	switch why {
	case missing:
		return codeOf{"MissingAuthenticationTokenException", http.StatusBadRequest}
	case malformed:
		return codeOf{"IncompleteSignatureException", http.StatusBadRequest}
	case unknownKey, badToken:
		return codeOf{"UnrecognizedClientException", http.StatusBadRequest}
	case unknownNode:
		return codeOf{"InvalidInstanceId", http.StatusBadRequest}
	case expired:
		return codeOf{"ExpiredTokenException", http.StatusBadRequest}
	case denied:
		return codeOf{"AccessDeniedException", http.StatusBadRequest}
	}
	return codeOf{"InvalidSignatureException", http.StatusBadRequest}
}

// queryRefusals are the codes of the query protocol.
func queryRefusals(why reason) codeOf {
	switch why {
	case missing:
		return codeOf{"MissingAuthenticationToken", http.StatusForbidden}
	case malformed:
		return codeOf{"IncompleteSignature", http.StatusBadRequest}
	case unknownKey, unknownNode, badToken:
		return codeOf{"InvalidClientTokenId", http.StatusForbidden}
	case expired:
		return codeOf{"ExpiredToken", http.StatusForbidden}
	case denied:
		return codeOf{"AccessDenied", http.StatusForbidden}
	}
	return codeOf{"SignatureDoesNotMatch", http.StatusForbidden}
}

// s3Refusals are the codes of S3.
func s3Refusals(why reason) codeOf {
	switch why {
	case malformed, wrongRegion, wrongService:
		return codeOf{"AuthorizationHeaderMalformed", http.StatusBadRequest}
	case unknownKey, unknownNode:
		return codeOf{"InvalidAccessKeyId", http.StatusForbidden}
	case badSignature:
		return codeOf{"SignatureDoesNotMatch", http.StatusForbidden}
	case badToken:
		return codeOf{"InvalidToken", http.StatusBadRequest}
	case expired:
		return codeOf{"ExpiredToken", http.StatusBadRequest}
	case skewed:
		return codeOf{"RequestTimeTooSkewed", http.StatusForbidden}
	}
	return codeOf{"AccessDenied", http.StatusForbidden}
}
